"""Live messages: `tram bench` against a server that speaks NATS. It checks every delivery."""
import json
import subprocess


def round_of(program, server, arguments):
    """One round of `tram bench ARGUMENTS`: (metrics, problems)."""
    command = [program, "bench", *arguments, "--json", "--quiet", "--server-pid", str(server.pid),
               "--server", f"nats://127.0.0.1:{server.ports['nats']}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    try:
        result = json.loads(done.stdout)
    except ValueError:
        return {}, [f"tram bench ended with {done.returncode}: {done.stderr.strip()[-200:]}"]
    kept = ("per_second", "server_cpu_seconds_per_million", "p50_us", "p99_us", "server_memory_bytes")
    metrics = {name: result["median"][name] for name in kept if name in result["median"]}
    problems = [str(problem) for one in result["rounds"] for problem in one["problems"]]
    if not result["verified"] and not problems:
        problems = ["not verified"]
    return metrics, problems
