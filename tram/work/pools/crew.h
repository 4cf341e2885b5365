// The hands of one run: tasks of the scheduler's that do the run's work until none is left. Called
// when there is work for one more; and a worker that waits for the run takes over one that was
// called and has not come yet, instead of giving its place away. So waiting needs no other thread
// where there is none, and no other thread's wake-up where there is.
//
// A task cannot be taken out of the scheduler's queues. So what is in them is a ticket, which says,
// once its turn has come, that somebody else has done its work:
//
//   waiting ──scheduler──► gone: does the work, and is freed
//     │  ▲
//   taken over, called again
//     ▼  │
//   taken ───scheduler──► gone: freed by the crew;   crew ends first: abandoned, freed by the
//   scheduler
//
// Threads: everything but the tickets themselves is guarded by the lock of the run.
#pragma once

#include <atomic>

#include "tram/base/intrusive_list.h"
#include "tram/work/scheduler/runnable.h"

namespace tram::work {

class Crew {
 public:
  struct Ticket : Runnable, base::Link<Ticket> {
    explicit Ticket(Crew& crew);
    Crew& of;
    std::atomic<uint8_t> state = 0;
  };

  // `work(ticket, of)` is called on a worker for each ticket whose turn has come; it begins with
  // arrived(ticket), under the lock. The crew may be gone when it returns.
  Crew(void (*work)(Ticket&, void*), void* of) : work_(work), of_(of) {}
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // One more is to come: add it to what will be scheduled.
  void call(RunnableList& to_schedule);
  void arrived(Ticket& ticket);
  // True if somebody had been called who has not come: then the caller does the work in its stead.
  bool take_over();

 private:
  enum : uint8_t { waiting, taken, gone, abandoned };
  static void run(Runnable& task);
  static void free(Ticket& ticket);
  static constexpr RunnableOps operations{&run};

  void (*const work_)(Ticket&, void*);
  void* const of_;
  base::IntrusiveList<Ticket, Ticket> waiting_;
  base::IntrusiveList<Ticket, Ticket> taken_;
};

}  // namespace tram::work
