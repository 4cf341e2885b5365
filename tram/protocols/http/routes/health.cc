// What operators and their tools ask.
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/exchange.h"
#include "tram/protocols/http/openapi.h"
#include "tram/protocols/http/routes/routes.h"

namespace tram::protocols::http::routes {

namespace {

class MetricsReply final : public ReplyHandler {
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    static const std::vector<broker::QueueInfo> none;
    auto* list = std::get_if<broker::QueueList>(&reply);
    exchange.answer({200, "text/plain; version=0.0.4; charset=utf-8",
                     exchange.door().shared().metrics.metrics_text(list ? list->queues : none)});
  }
};

}  // namespace

// GopherMQ's.
void ready(Exchange& exchange) { exchange.answer({204}); }

void healthz(Exchange& exchange) { exchange.answer({200, text_type, "ok\n"}); }

void readyz(Exchange& exchange) {
  if (exchange.door().shared().stopping)
    exchange.answer({503, text_type, "stopping\n"});
  else
    exchange.answer({200, text_type, "ok\n"});
}

void metrics(Exchange& exchange) {
  static MetricsReply reply;
  exchange.await(reply);
  exchange.engine().submit(exchange.caller(), exchange.ticket(), broker::ListQueues{});
}

void openapi(Exchange& exchange) { exchange.answer({200, json_type, openapi_json()}); }

void about(Exchange& exchange) {
  exchange.answer(
      {200, text_type,
       "Tram " + exchange.door().shared().version +
           ", a message broker.\n"
           "  curl -d hello localhost:8082/v1/queues/jobs        put a message\n"
           "  curl -X POST localhost:8082/v1/queues/jobs/get     get it\n"
           "  /v1/openapi.json describes every request; /metrics, /healthz, /readyz.\n"});
}

}  // namespace tram::protocols::http::routes
