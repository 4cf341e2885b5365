// What a broker's JSON replies about queues mean: pure, and suspicious of every field.
#pragma once

#include "tram/client/queue.h"

namespace tram::client {

// The error that a reply carries, by its Tram-Error header or its body, if it is one.
std::optional<base::Error> error_in(const Message& reply);

// All of these: protocol_error if the reply is not what the contract says.
base::Result<PutReply> parse_put_reply(base::BytesView json);
base::Result<std::vector<QueueInfo>> parse_queue_list(base::BytesView json);
base::Result<QueueInfo> parse_queue_info(base::BytesView json);
base::Result<uint64_t> parse_removed(base::BytesView json);
base::Result<BrokerInfo> parse_broker_info(base::BytesView json);
// A delivery as TAKE and GET send it. Errors: protocol_error without a Tram-Id.
base::Result<Delivery> parse_delivery(const Message& message);

}  // namespace tram::client
