// The handlers of all routes. What each does is described where people look: openapi.json.
#pragma once

#include <string>

#include "tram/base/bytes.h"
#include "tram/base/result.h"

namespace tram::protocols::http {

class Exchange;

namespace routes {

// gopher.cc: answer for answer what GopherMQ says.
void gopher_publish(Exchange& exchange);
void gopher_publish_async(Exchange& exchange);
void gopher_subscribe(Exchange& exchange);
void gopher_unsubscribe(Exchange& exchange);  // Ours: ends a mailbox early.
void gopher_fetch(Exchange& exchange);

// publish.cc
void publish_message(Exchange& exchange);
void publish_messages(Exchange& exchange);
void request(Exchange& exchange);

// subscribe.cc
void subscribe(Exchange& exchange);

// mailboxes.cc
void open_mailbox(Exchange& exchange);
void fetch_mailbox(Exchange& exchange);
void close_mailbox(Exchange& exchange);

// queues.cc: put, and what an operator does with a queue.
// The queue that the path names. Errors: invalid_queue_name; invalid_argument.
base::Result<base::BytesView> checked_queue(Exchange& exchange, std::string& room);
void put_message(Exchange& exchange);
void list_queues(Exchange& exchange);
void show_queue(Exchange& exchange);
void delete_queue(Exchange& exchange);
void purge_queue(Exchange& exchange);

// take.cc: what a worker does with a queue.
void get_message(Exchange& exchange);
void take_messages(Exchange& exchange);
void ack_message(Exchange& exchange);
void release_message(Exchange& exchange);
void extend_lease(Exchange& exchange);

// health.cc
void ready(Exchange& exchange);
void healthz(Exchange& exchange);
void readyz(Exchange& exchange);
void metrics(Exchange& exchange);
void openapi(Exchange& exchange);
void about(Exchange& exchange);

}  // namespace routes
}  // namespace tram::protocols::http
