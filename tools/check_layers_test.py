#!/usr/bin/env python3
"""Plants each fault that check_layers.py knows in a small tree, and sees it reported, and nothing else."""
import tempfile
import unittest
from pathlib import Path

from check_layers import check

CLEAN = {
    "tram/base/CMakeLists.txt": "tram_layer(base)\n",
    "tram/base/time.h": "#pragma once\n#include <chrono>\n",
    "tram/base/system_clock.h": "#pragma once\n",
    "tram/base/system_clock.cc": '#include "tram/base/system_clock.h"\nauto t = std::chrono::steady_clock::now();\n',
    "tram/broker/CMakeLists.txt": "# tram_layer(broker DEPENDS net)\ntram_layer(broker DEPENDS base PURE LINKS fmt::fmt)\n",
    "tram/broker/queue.h": '#pragma once\n#include <vector>\n\n#include "tram/base/time.h"\n',
    "tram/broker/queue_test.cc": '#include <thread>\n\n#include "tram/broker/queue.h"\n#include "tram/sim/disk.h"\n',
    "tram/net/CMakeLists.txt": "tram_layer(net LINKS tram_asio\n           DEPENDS base)\n",
    "tram/net/loop.cc": '#include <thread>\n\n#include "tram/base/time.h"\n',
    "tram/protocols/CMakeLists.txt": "tram_layer(protocols DEPENDS base net broker)\n",
    "tram/protocols/door.h": "#pragma once\n",
    "tram/protocols/nats/parser.cc": '#include "tram/protocols/door.h"\n#include "tram/broker/queue.h"\n',
    "tram/protocols/http/parser.h": "#pragma once\n",
    "tram/sim/CMakeLists.txt": "tram_layer(sim DEPENDS net base)\n",
    "tram/sim/disk.h": "#pragma once\n",
    "tests/model/model.cc": '#include "tram/sim/disk.h"\n#include "tram/broker/queue.h"\n#include "model.h"\n',
}


class CheckLayers(unittest.TestCase):
    def errors_with(self, **changes):
        """The errors of the clean tree with some files written anew; `__` in a key stands for `/`, a trailing
        _h, _cc or _txt for the suffix."""
        files = dict(CLEAN)
        for name, text in changes.items():
            path, _, suffix = name.replace("__", "/").rpartition("_")
            files[f"{path}.{suffix}"] = text
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return list(check(root))

    def only_error_with(self, **changes):
        errors = self.errors_with(**changes)
        self.assertEqual(len(errors), 1, errors)
        return errors[0]

    def test_a_clean_tree_has_no_errors(self):
        self.assertEqual(self.errors_with(), [])

    def test_an_include_of_a_layer_that_is_not_named_is_refused_with_its_line(self):
        error = self.only_error_with(tram__broker__queue_cc='\n#include "tram/net/loop.h"\n')
        self.assertIn("tram/broker/queue.cc:2: tram/net is not used here; broker may use base", error)

    def test_dependencies_are_direct_not_inherited(self):
        error = self.only_error_with(tram__protocols__CMakeLists_txt="tram_layer(protocols DEPENDS base net)\n")
        self.assertIn("tram/protocols/nats/parser.cc:2: tram/broker is not used here", error)

    def test_links_are_not_layers(self):
        error = self.only_error_with(tram__net__CMakeLists_txt="tram_layer(net LINKS base)\n")
        self.assertIn("tram/base is not used here; net may use no other layer", error)

    def test_a_pure_layer_may_not_reach_the_machine(self):
        for header in ["chrono", "thread", "atomic", "random", "iostream", "fstream", "cstdlib", "mutex",
                       "sys/socket.h", "unistd.h", "boost/asio/io_context.hpp", "boost/asio.hpp"]:
            with self.subTest(header):
                error = self.only_error_with(tram__broker__queue_cc=f"#include <{header}>\n")
                self.assertIn(f"<{header}> is not used here, broker is pure; ", error)
                self.assertIn("because", error)

    def test_a_pure_layer_may_not_be_given_a_clock_either(self):
        error = self.only_error_with(tram__broker__queue_cc='#include "tram/base/system_clock.h"\n')
        self.assertIn("broker is pure; take a tram::base::Time", error)

    def test_only_one_file_reads_a_clock(self):
        for call in ["std::chrono::steady_clock::now()", "Clock_clock::now()", "clock_gettime(0, &t)", "time(nullptr)",
                     "gettimeofday(&t, 0)"]:
            with self.subTest(call):
                error = self.only_error_with(tram__net__loop_cc=f"auto x = {call};\n")
                self.assertIn("take the time as an argument", error)
        self.assertEqual(self.errors_with(tram__net__loop_cc="// Not steady_clock::now(): see base.\n"), [])
        self.assertEqual(self.errors_with(tram__net__loop_cc="auto x = clock_.now(); clock.now();\n"), [])

    def test_sim_is_for_tests(self):
        self.assertIn("tram/sim is not used here", self.only_error_with(tram__net__loop_cc='#include "tram/sim/disk.h"\n'))
        error = self.only_error_with(tram__net__CMakeLists_txt="tram_layer(net DEPENDS base sim)\n",
                                     tram__sim__CMakeLists_txt="tram_layer(sim)\n")
        self.assertIn("only tests include it", error)

    def test_a_ring_of_layers_is_shown(self):
        error = self.only_error_with(tram__base__CMakeLists_txt="tram_layer(base DEPENDS broker)\n")
        self.assertIn("base -> broker -> base", error)

    def test_a_layer_needs_its_line_and_names_layers_that_exist(self):
        self.assertIn("say tram_layer(store DEPENDS ...)", self.only_error_with(tram__store__log_cc="int x;\n"))
        error = self.only_error_with(tram__net__CMakeLists_txt="tram_layer(net DEPENDS base stroe)\n")
        self.assertIn("there is no layer tram/stroe", error)

    def test_doors_do_not_know_one_another(self):
        error = self.only_error_with(tram__protocols__nats__door_cc='#include "tram/protocols/http/parser.h"\n')
        self.assertIn("the http door is not used here, in the nats door", error)

    def test_includes_are_written_from_the_root(self):
        error = self.only_error_with(tram__net__loop_cc='#include "loop.h"\n')
        self.assertIn("write the path from the root", error)

    def test_a_header_needs_pragma_once(self):
        error = self.only_error_with(tram__net__loop_h="int x;\n")
        self.assertIn("tram/net/loop.h:1: a header without #pragma once", error)

    def test_vague_names_are_refused_as_files_as_folders_and_as_parts(self):
        for path in ["tram__net__util__loop_cc", "tram__net__common_cc", "tram__net__queue_manager_cc",
                     "tram__net__loop_impl_h", "tests__misc__case_txt", "tools__string_utils_py"]:
            with self.subTest(path):
                error = self.only_error_with(**{path: "#pragma once\n"})
                self.assertIn("because a thing without a name is not understood yet", error)
        self.assertEqual(self.errors_with(tram__net__utility_cc="", tests__node_modules__x__util_js=""), [])


if __name__ == "__main__":
    unittest.main()
