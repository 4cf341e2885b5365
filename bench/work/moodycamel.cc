// moodycamel's queue (Debian's libconcurrentqueue-dev), with threads of our own where a row needs
// some. It is no pool, so it has few rows.
//
// It is unbounded, so producers look every 32 values whether there are fewer than 1,024 in it, and
// else give way: a bound that is kept about, not exactly. (Its own try_enqueue, which takes no more
// memory, was tried: two producers hang, since one keeps all the memory there is.) Order is kept
// for each producer only. Queue rows spin and yield; the others use the blocking queue.
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>

#include "rows.h"

using namespace bench;

namespace {

using Queue = moodycamel::ConcurrentQueue<uint64_t>;
using Blocking = moodycamel::BlockingConcurrentQueue<uint64_t>;

void queue(Row& row) {
  QueueRow shape(row);
  Queue values(QueueRow::capacity, shape.producers, 0);
  constexpr uint64_t between_looks = 32;
  shape.run(
      row,
      [&](uint64_t from, uint64_t to) {
        moodycamel::ProducerToken token(values);
        std::vector<uint64_t> bulk(shape.bulk);
        for (uint64_t looked = from; from < to;) {
          if (from >= looked) {
            while (values.size_approx() >= QueueRow::capacity) std::this_thread::yield();
            looked = from + between_looks;
          }
          const size_t count = std::min<uint64_t>(shape.bulk, to - from);
          for (size_t i = 0; i < count; ++i) bulk[i] = from + i;
          const bool put = count == 1 ? values.enqueue(token, bulk[0])
                                      : values.enqueue_bulk(token, bulk.begin(), count);
          if (!put) std::abort();  // Out of memory.
          from += count;
        }
      },
      [&](auto&& seen, const std::atomic<bool>& all_sent) {
        moodycamel::ConsumerToken token(values);
        std::vector<uint64_t> bulk(shape.bulk);
        while (true) {
          const bool nothing_more = all_sent;
          const size_t count = shape.bulk == 1
                                   ? size_t{values.try_dequeue(token, bulk[0])}
                                   : values.try_dequeue_bulk(token, bulk.begin(), shape.bulk);
          for (size_t i = 0; i < count; ++i) seen(bulk[i]);
          if (count > 0) continue;
          if (nothing_more) return;
          std::this_thread::yield();
        }
      },
      [] {});
}

// One round trip after the other; a value comes back as one more.
template <typename Values, typename Pop>
void ping_pong(Row& row, Pop pop) {
  Values there(QueueRow::capacity), back(QueueRow::capacity);
  uint64_t last = 0;
  row.timed([&] {
    std::jthread other([&] {
      for (uint64_t i = 0; i < row.size(); ++i) back.enqueue(pop(there) + 1);
    });
    for (uint64_t i = 0; i < row.size(); ++i) {
      there.enqueue(last);
      last = pop(back);
    }
  });
  row.units(2 * row.size());
  row.check_equal(last, row.size(), "round trips");
}

uint64_t spin_pop(Queue& queue) {
  uint64_t value = 0;
  while (!queue.try_dequeue(value)) {
  }
  return value;
}
uint64_t wait_pop(Blocking& queue) {
  uint64_t value = 0;
  queue.wait_dequeue(value);
  return value;
}

void handoff_hot(Row& row) { ping_pong<Queue>(row, spin_pop); }
void handoff_parked(Row& row) { ping_pong<Blocking>(row, wait_pop); }

void handoff_three(Row& row) {
  Blocking first(QueueRow::capacity), second(QueueRow::capacity);
  Latencies latencies(row.size());
  row.timed([&] {
    std::jthread middle([&] {
      for (uint64_t i = 0; i < row.size(); ++i) second.enqueue(wait_pop(first));
    });
    std::jthread end([&] {
      for (uint64_t i = 0; i < row.size(); ++i) {
        latencies.arrived(static_cast<int64_t>(wait_pop(second)));
      }
    });
    for (uint64_t i = 0; i < row.size(); ++i) {
      first.enqueue(static_cast<uint64_t>(latencies.wait_until_due(i)));
    }
  });
  latencies.verify(row);
}

// A queue before each stage and after the last, and threads for each stage, as many as the original
// has workers. Unbounded between stages; jobs are few.
void stages_once(Row& row, Stages& all) {
  using Jobs = moodycamel::BlockingConcurrentQueue<Stages::Job>;
  std::array<Jobs, Stages::count + 1> queues;
  row.timed([&] {
    std::vector<std::jthread> threads;
    for (int stage = 0; stage < Stages::count; ++stage) {
      for (unsigned w = 0; w < all.workers_each(); ++w) {
        threads.emplace_back([&, stage] {
          while (true) {
            Stages::Job job;
            queues[stage].wait_dequeue(job);
            if (job.stages_done < 0) return;
            all.work(job);
            queues[stage + 1].enqueue(std::move(job));
          }
        });
      }
    }
    std::jthread feed([&] {
      for (uint64_t i = 0; i < all.jobs(); ++i) queues[0].enqueue(all.make(i));
    });
    for (uint64_t i = 0; i < all.jobs(); ++i) {
      Stages::Job job;
      queues[Stages::count].wait_dequeue(job);
      all.received(job);
    }
    for (int stage = 0; stage < Stages::count; ++stage) {  // All jobs are through: nobody is busy.
      for (unsigned w = 0; w < all.workers_each(); ++w) {
        Stages::Job end;
        end.stages_done = -1;
        queues[stage].enqueue(end);
      }
    }
  });
}

void stages(Row& row) {
  Stages all(row);
  all.iterate([&] { stages_once(row, all); });
}

void idle(Row& row) {
  Blocking values(QueueRow::capacity);
  std::atomic<uint64_t> got = 0;
  std::vector<std::jthread> threads;
  for (unsigned w = 0; w < workers; ++w) {
    threads.emplace_back([&] {
      while (wait_pop(values) != 0) ++got;
    });
  }
  values.enqueue(1);
  do_nothing(row);
  for (unsigned w = 0; w < workers; ++w) values.enqueue(0);
  threads.clear();
  row.check_equal(got, 1, "the first value arrived");
}

constexpr Entry rows[] = {
    {"stages-spin-0", stages},
    {"stages-spin-1", stages},
    {"stages-spin-10", stages},
    {"stages-spin-100", stages},
    {"stages-json-10", stages},
    {"stages-json-100", stages},
    {"stages-json-1000", stages},
    {"handoff-hot", handoff_hot},
    {"handoff-parked", handoff_parked},
    {"handoff-three", handoff_three},
    {"queue-1x1-1", queue},
    {"queue-1x1-32", queue},
    {"queue-1x2-1", queue},
    {"queue-1x2-32", queue},
    {"queue-2x1-1", queue},
    {"queue-2x1-32", queue},
    {"queue-2x2-1", queue},
    {"queue-2x2-32", queue},
    {"idle", idle},
};

}  // namespace

int main(int argc, char** argv) { return run_program(argc, argv, rows); }
