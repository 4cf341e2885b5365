// What a user of the official C client does (Debian's libnats-dev), told to a running broker.
//
//   stories 127.0.0.1:4222
//
// `restart` asks whoever started us to restart the broker, by a line on standard output; it answers with a line. The
// first thing that goes another way ends the telling.
#include <nats/nats.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 10000  // Milliseconds; what has not come by then will not come.

static const char* server;
static const char* story;
static char subject[64];  // One that no other story uses.

static void fail(int line, const char* what, const char* why) {
  printf("FAILED %s: line %d: %s: %s\n", story, line, what, why);
  exit(1);
}

#define MUST(what) ((what) ? (void)0 : fail(__LINE__, #what, "it is not so"))
#define OK(call) must_be(NATS_OK, (call), __LINE__, #call)
#define GIVES(status, call) must_be((status), (call), __LINE__, #call)

static void must_be(natsStatus wanted, natsStatus got, int line, const char* call) {
  if (got != wanted) fail(line, call, natsStatus_GetText(got));
}

static natsOptions* options(void) {
  natsOptions* made = NULL;
  OK(natsOptions_Create(&made));
  OK(natsOptions_SetURL(made, server));
  OK(natsOptions_SetTimeout(made, PATIENCE));
  return made;
}

static natsConnection* connect_with(natsOptions* with) {
  natsConnection* made = NULL;
  OK(natsConnection_Connect(&made, with));
  natsOptions_Destroy(with);
  return made;
}

static natsConnection* connected(void) { return connect_with(options()); }

static natsSubscription* subscribed(natsConnection* connection, const char* pattern) {
  natsSubscription* made = NULL;
  OK(natsConnection_SubscribeSync(&made, connection, pattern));
  OK(natsConnection_Flush(connection));
  return made;
}

static natsMsg* next(natsSubscription* subscription) {
  natsMsg* message = NULL;
  OK(natsSubscription_NextMsg(&message, subscription, PATIENCE));
  return message;
}

static bool has_text(const natsMsg* message, const char* text) {
  return (size_t)natsMsg_GetDataLength(message) == strlen(text) &&
         memcmp(natsMsg_GetData(message), text, strlen(text)) == 0;
}

// The next message has this text.
static void hears(natsSubscription* subscription, const char* text) {
  natsMsg* message = next(subscription);
  MUST(has_text(message, text));
  natsMsg_Destroy(message);
}

static void hears_nothing_more(natsConnection* connection, natsSubscription* subscription) {
  natsMsg* message = NULL;
  OK(natsConnection_Flush(connection));
  GIVES(NATS_TIMEOUT, natsSubscription_NextMsg(&message, subscription, 1));
}

static void close_all(natsConnection* a, natsConnection* b) {
  natsConnection_Destroy(a);
  natsConnection_Destroy(b);
}

static void publish_and_subscribe(void) {
  natsConnection *a = connected(), *b = connected();
  natsSubscription* heard = subscribed(a, subject);
  char text[32];
  for (int i = 0; i < 1000; ++i) {
    snprintf(text, sizeof text, "message %d", i);
    OK(natsConnection_PublishString(b, subject, text));
  }
  OK(natsConnection_Flush(b));
  for (int i = 0; i < 1000; ++i) {
    snprintf(text, sizeof text, "message %d", i);
    natsMsg* message = next(heard);
    MUST(has_text(message, text));
    MUST(strcmp(natsMsg_GetSubject(message), subject) == 0);
    natsMsg_Destroy(message);
  }
  natsSubscription_Destroy(heard);
  close_all(a, b);
}

static void wildcards(void) {
  natsConnection *a = connected(), *b = connected();
  char pattern[80];
  snprintf(pattern, sizeof pattern, "%s.*.paid", subject);
  natsSubscription* star = subscribed(a, pattern);
  snprintf(pattern, sizeof pattern, "%s.>", subject);
  natsSubscription* rest = subscribed(a, pattern);
  const char* ends[] = {"eu.paid", "eu.sent", "eu.paid.late", "us.paid"};
  for (int i = 0; i < 4; ++i) {
    snprintf(pattern, sizeof pattern, "%s.%s", subject, ends[i]);
    OK(natsConnection_PublishString(b, pattern, ends[i]));
  }
  OK(natsConnection_Flush(b));
  hears(star, "eu.paid");
  hears(star, "us.paid");
  for (int i = 0; i < 4; ++i) hears(rest, ends[i]);
  hears_nothing_more(a, star);
  natsSubscription_Destroy(star);
  natsSubscription_Destroy(rest);
  close_all(a, b);
}

static void queue_groups(void) {
  natsConnection* members[3];
  natsSubscription* turns[3];
  natsConnection* publisher = connected();
  for (int i = 0; i < 3; ++i) {
    members[i] = connected();
    OK(natsConnection_QueueSubscribeSync(&turns[i], members[i], subject, "workers"));
    OK(natsConnection_Flush(members[i]));
  }
  for (int i = 0; i < 300; ++i) OK(natsConnection_PublishString(publisher, subject, "work"));
  OK(natsConnection_Flush(publisher));
  int total = 0;
  for (int i = 0; i < 3; ++i) {
    natsMsg* message = NULL;
    int count = 0;
    // On several loops the last may still be on their way after one round trip.
    while (natsSubscription_NextMsg(&message, turns[i], count < 100 ? PATIENCE : 20) == NATS_OK) {
      ++count;
      natsMsg_Destroy(message);
    }
    MUST(count == 100);
    total += count;
    natsSubscription_Destroy(turns[i]);
    natsConnection_Destroy(members[i]);
  }
  MUST(total == 300);
  natsConnection_Destroy(publisher);
}

static void answer(natsConnection* connection, natsSubscription* of, natsMsg* question, void* closure) {
  (void)of, (void)closure;
  char text[64];
  snprintf(text, sizeof text, "re: %.*s", natsMsg_GetDataLength(question), natsMsg_GetData(question));
  OK(natsConnection_PublishString(connection, natsMsg_GetReply(question), text));
  natsMsg_Destroy(question);
}

static void request_and_reply(void) {
  natsConnection *a = connected(), *b = connected();
  natsSubscription* answers = NULL;
  OK(natsConnection_Subscribe(&answers, a, subject, answer, NULL));
  OK(natsConnection_Flush(a));
  for (int i = 0; i < 200; ++i) {
    char question[16], wanted[32];
    snprintf(question, sizeof question, "%d", i);
    snprintf(wanted, sizeof wanted, "re: %d", i);
    natsMsg* reply = NULL;
    OK(natsConnection_RequestString(&reply, b, subject, question, PATIENCE));
    MUST(has_text(reply, wanted));
    natsMsg_Destroy(reply);
  }
  natsSubscription_Destroy(answers);
  close_all(a, b);
}

// With an inbox for each request, as the client did it before.
static void request_and_reply_in_the_old_way(void) {
  natsOptions* old = options();
  OK(natsOptions_UseOldRequestStyle(old, true));
  natsConnection *a = connected(), *b = connect_with(old);
  natsSubscription* answers = NULL;
  natsMsg* reply = NULL;
  OK(natsConnection_Subscribe(&answers, a, subject, answer, NULL));
  OK(natsConnection_Flush(a));
  OK(natsConnection_RequestString(&reply, b, subject, "old", PATIENCE));
  MUST(has_text(reply, "re: old"));
  natsMsg_Destroy(reply);
  natsSubscription_Destroy(answers);
  close_all(a, b);
}

static void no_responders(void) {
  natsConnection* a = connected();
  natsMsg* reply = NULL;
  GIVES(NATS_NO_RESPONDERS, natsConnection_RequestString(&reply, a, subject, "anybody?", PATIENCE));
  natsConnection_Destroy(a);
}

static void headers(void) {
  natsConnection *a = connected(), *b = connected();
  natsSubscription* heard = subscribed(a, subject);
  natsMsg* message = NULL;
  OK(natsMsg_Create(&message, subject, "somewhere", "body", 4));
  OK(natsMsgHeader_Set(message, "Trace-Id", "abc"));
  OK(natsMsgHeader_Set(message, "trace-id", "lower"));
  OK(natsMsgHeader_Add(message, "Many", "1"));
  OK(natsMsgHeader_Add(message, "Many", "2"));
  OK(natsMsgHeader_Set(message, "Words", "grüße, 世界"));
  OK(natsConnection_PublishMsg(b, message));
  natsMsg_Destroy(message);
  OK(natsConnection_Flush(b));
  message = next(heard);
  MUST(has_text(message, "body"));
  MUST(strcmp(natsMsg_GetReply(message), "somewhere") == 0);
  const char* value = NULL;
  OK(natsMsgHeader_Get(message, "Trace-Id", &value));
  MUST(strcmp(value, "abc") == 0);
  OK(natsMsgHeader_Get(message, "trace-id", &value));
  MUST(strcmp(value, "lower") == 0);
  OK(natsMsgHeader_Get(message, "Words", &value));
  MUST(strcmp(value, "grüße, 世界") == 0);
  const char** values = NULL;
  int count = 0;
  OK(natsMsgHeader_Values(message, "Many", &values, &count));
  MUST(count == 2 && strcmp(values[0], "1") == 0 && strcmp(values[1], "2") == 0);
  free((void*)values);
  natsMsg_Destroy(message);
  natsSubscription_Destroy(heard);
  close_all(a, b);
}

static unsigned char byte_at(size_t i, size_t size) { return (unsigned char)(i * 31 + (i >> 8) + size); }

static void payloads(void) {
  natsConnection *a = connected(), *b = connected();
  natsSubscription* heard = subscribed(a, subject);
  MUST(natsConnection_GetMaxPayload(b) == 1 << 20);
  const int sizes[] = {0, 1, 2, 127, 128, 1023, 1024, 4096, 4097, 65535, 65536, 65537, 262144, (1 << 20) - 1, 1 << 20};
  const int count = sizeof sizes / sizeof *sizes;
  unsigned char* data = malloc((1 << 20) + 1);
  MUST(data != NULL);
  for (int n = 0; n < count; ++n) {
    size_t size = (size_t)sizes[n];
    for (size_t i = 0; i < size; ++i) data[i] = byte_at(i, size);
    OK(natsConnection_Publish(b, subject, data, sizes[n]));
  }
  OK(natsConnection_Flush(b));
  for (int n = 0; n < count; ++n) {
    natsMsg* message = next(heard);
    size_t size = (size_t)sizes[n];
    MUST(natsMsg_GetDataLength(message) == sizes[n]);
    const char* got = natsMsg_GetData(message);
    for (size_t i = 0; i < size; ++i) MUST((unsigned char)got[i] == byte_at(i, size));
    natsMsg_Destroy(message);
  }
  GIVES(NATS_MAX_PAYLOAD, natsConnection_Publish(b, subject, data, (1 << 20) + 1));
  free(data);
  natsSubscription_Destroy(heard);
  close_all(a, b);
}

static void unsubscribe_after_three(void) {
  natsConnection *a = connected(), *b = connected();
  natsSubscription* heard = subscribed(a, subject);
  OK(natsSubscription_AutoUnsubscribe(heard, 3));
  OK(natsConnection_Flush(a));
  const char* texts[] = {"0", "1", "2", "3", "4"};
  for (int i = 0; i < 5; ++i) OK(natsConnection_PublishString(b, subject, texts[i]));
  OK(natsConnection_Flush(b));
  for (int i = 0; i < 3; ++i) hears(heard, texts[i]);
  natsMsg* message = NULL;
  GIVES(NATS_MAX_DELIVERED_MSGS, natsSubscription_NextMsg(&message, heard, 100));
  natsSubscription_Destroy(heard);
  close_all(a, b);
}

static void without_echo(void) {
  natsOptions* deaf = options();
  OK(natsOptions_SetNoEcho(deaf, true));
  natsConnection *a = connect_with(deaf), *b = connected();
  natsSubscription* heard = subscribed(a, subject);
  OK(natsConnection_PublishString(a, subject, "mine"));
  OK(natsConnection_Flush(a));
  OK(natsConnection_PublishString(b, subject, "theirs"));
  OK(natsConnection_Flush(b));
  hears(heard, "theirs");
  natsSubscription_Destroy(heard);
  close_all(a, b);
}

static void verbose_and_pedantic(void) {
  natsOptions* strict = options();
  OK(natsOptions_SetVerbose(strict, true));
  OK(natsOptions_SetPedantic(strict, true));
  natsConnection* a = connect_with(strict);
  natsSubscription* heard = subscribed(a, subject);
  OK(natsConnection_PublishString(a, subject, "x"));
  hears(heard, "x");
  natsSubscription_Destroy(heard);
  natsConnection_Destroy(a);
}

static void count_one(natsConnection* connection, natsSubscription* of, natsMsg* message, void* closure) {
  (void)connection, (void)of;
  ++*(volatile int*)closure;  // One thread of the client's calls us; we look when it has finished.
  natsMsg_Destroy(message);
}

static void drain(void) {
  natsConnection *a = connected(), *b = connected();
  natsSubscription* counted = NULL;
  volatile int count = 0;
  OK(natsConnection_Subscribe(&counted, a, subject, count_one, (void*)&count));
  OK(natsConnection_Flush(a));
  for (int i = 0; i < 500; ++i) OK(natsConnection_PublishString(b, subject, ""));
  OK(natsConnection_Flush(b));
  OK(natsSubscription_Drain(counted));
  OK(natsSubscription_WaitForDrainCompletion(counted, PATIENCE));
  OK(natsSubscription_DrainCompletionStatus(counted));
  MUST(count == 500);
  natsSubscription_Destroy(counted);
  natsSubscription* last = subscribed(b, subject);
  OK(natsConnection_PublishString(a, subject, "last"));
  OK(natsConnection_Drain(a));
  hears(last, "last");
  for (int i = 0; i < PATIENCE && !natsConnection_IsClosed(a); ++i) nats_Sleep(1);
  MUST(natsConnection_IsClosed(a));
  natsSubscription_Destroy(last);
  close_all(a, b);
}

static void round_trip(void) {
  natsConnection* a = connected();
  int64_t nanoseconds = -1;
  OK(natsConnection_GetRTT(a, &nanoseconds));
  MUST(nanoseconds >= 0 && nanoseconds < 5000000000);
  natsConnection_Destroy(a);
}

static void queues_of_tram(void) {
  natsConnection* a = connected();
  char to[96];
  natsMsg *reply = NULL, *done = NULL;
  snprintf(to, sizeof to, "$TRAM.PUT.%s", subject);
  OK(natsConnection_RequestString(&reply, a, to, "work", PATIENCE));
  natsMsg_Destroy(reply);
  snprintf(to, sizeof to, "$TRAM.TAKE.%s", subject);
  OK(natsConnection_RequestString(&reply, a, to, "", PATIENCE));
  MUST(has_text(reply, "work"));
  const char* queue = NULL;
  OK(natsMsgHeader_Get(reply, "Tram-Queue", &queue));
  MUST(strcmp(queue, subject) == 0);
  OK(natsConnection_RequestString(&done, a, natsMsg_GetReply(reply), "+ACK", PATIENCE));
  MUST(has_text(done, "{\"ok\":true,\"count\":1}"));
  natsMsg_Destroy(reply);
  natsMsg_Destroy(done);
  natsConnection_Destroy(a);
}

static void came_back(natsConnection* connection, void* closure) {
  (void)connection;
  *(volatile bool*)closure = true;
}

static natsConnection* patient_one(volatile bool* back) {
  natsOptions* patient = options();
  OK(natsOptions_SetReconnectWait(patient, 50));
  OK(natsOptions_SetMaxReconnect(patient, -1));
  OK(natsOptions_SetReconnectedCB(patient, came_back, (void*)back));
  return connect_with(patient);
}

static void restart(void) {
  static volatile bool back[2];  // The client's threads may outlive us.
  natsConnection *a = patient_one(&back[0]), *b = patient_one(&back[1]);
  natsSubscription* heard = subscribed(a, subject);
  char line[32] = "";
  puts("restart");
  MUST(fgets(line, sizeof line, stdin) != NULL && strcmp(line, "restarted\n") == 0);
  for (int i = 0; i < PATIENCE && !(back[0] && back[1]); ++i) nats_Sleep(1);
  MUST(back[0] && back[1]);
  OK(natsConnection_Flush(a));
  OK(natsConnection_PublishString(b, subject, "again"));
  OK(natsConnection_Flush(b));
  hears(heard, "again");
  natsSubscription_Destroy(heard);
  close_all(a, b);
}

static const struct {
  const char* name;
  void (*tell)(void);
} stories[] = {
    {"publish and subscribe, in order", publish_and_subscribe},
    {"wildcards", wildcards},
    {"queue groups: each message to one member, in turns", queue_groups},
    {"request and reply", request_and_reply},
    {"request and reply, an inbox for each", request_and_reply_in_the_old_way},
    {"no responders are told at once", no_responders},
    {"headers, with repeated names and any case", headers},
    {"payloads from nothing to 1 MiB come byte for byte, and no longer ones", payloads},
    {"unsubscribe after a number of messages", unsubscribe_after_three},
    {"without echo, a client does not hear itself", without_echo},
    {"verbose and pedantic", verbose_and_pedantic},
    {"drain: what was sent is handled, and then it ends", drain},
    {"round trips are measured", round_trip},
    {"a queue of Tram's, with nothing but this client", queues_of_tram},
    {"after a restart of the broker, subscriptions go on", restart},
};

int main(int count, char** words) {
  if (count != 2) return 2;
  server = words[1];
  setvbuf(stdout, NULL, _IOLBF, 0);
  alarm(60);
  for (size_t i = 0; i < sizeof stories / sizeof *stories; ++i) {
    story = stories[i].name;
    snprintf(subject, sizeof subject, "c.%d.%zu", getpid(), i);
    stories[i].tell();
    printf("ok %s\n", story);
  }
  nats_Close();
  return 0;
}
