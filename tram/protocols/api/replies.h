// The broker's replies as JSON: one schema for HTTP's /v1 and for $TRAM.API over NATS.
//
// One line each, without a line's end. Names that are not UTF-8 have U+FFFD in place of the bytes
// that are not. Docs: docs/protocols/http.md.
#pragma once

#include <string>

#include "tram/base/error.h"
#include "tram/broker/reply.h"
#include "tram/protocols/api/json_text.h"

namespace tram::protocols::api {

// {"error":{"code":"invalid_subject","message":"<sentence> (<detail>)"}}
std::string error_json(const base::Error& error);
// {"id":257,"queue":"jobs","durability":"memory","duplicate":false}
std::string stored_json(BytesView queue, const broker::Stored& stored);
// {"ok":true,"count":3}
std::string done_json(const broker::Done& done);
// {"name":"jobs","ready":1,"leased":0,"bytes":5,"waiting_takers":0,"puts":1,"deliveries":0,
//  "redeliveries":0,"acks":0,"oldest_ready_age_ms":12}
std::string queue_json(const broker::QueueInfo& queue);
// {"queues":[...]}
std::string queues_json(const broker::QueueList& list);

// The same, appended.
void append_error_json(std::string& to, const base::Error& error);
void append_stored_json(std::string& to, BytesView queue, const broker::Stored& stored);
void append_queue_json(std::string& to, const broker::QueueInfo& queue);

}  // namespace tram::protocols::api
