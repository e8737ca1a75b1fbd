#include "daemon/operations.hh"

#include "base/log.hh"

namespace steward::daemon {
namespace {

std::string_view text_of(Transport transport) {
  switch (transport) {
    case Transport::Udp: return "udp";
    case Transport::Tcp: return "tcp";
    case Transport::Tls: return "tls";
    case Transport::Https: return "https";
  }
  return "-";
}

void tell(log::Level level, std::string_view event, const serve::TransferReport& report) {
  const std::string peer = report.asker.peer && !report.asker.peer->names.empty() ? report.asker.peer->names.front() : "-";
  log::write(level, event,
             {{"zone", report.zone.to_text()},
              {"client", report.asker.client.to_text()},
              {"kind", serve::to_text(report.kind)},
              {"from", report.from ? std::to_string(*report.from) : "-"},
              {"serial", report.serial},
              {"key", report.asker.key ? report.asker.key->to_text() : "-"},
              {"transport", text_of(report.asker.transport)},
              {"tls-name", peer},
              {"registry", report.asker.registry ? report.asker.registry->to_text() : "-"},
              {"messages", report.messages},
              {"octets", report.octets},
              {"ms", report.ns / 1'000'000},
              {"outcome", serve::to_text(report.outcome)}});
}

}  // namespace

void ServerOperations::update(serve::UpdateRequest request) {
  if (registrations_ != nullptr && registrations_->concerns(request)) return registrations_->take(std::move(request));
  if (feeds_.concerns(request)) return feeds_.take(std::move(request));
  updates_.take(std::move(request));
}

void ServerOperations::transfer_began(const serve::TransferReport& report) { tell(log::Level::Debug, "transfer.out.begin", report); }

void ServerOperations::transfer_ended(const serve::TransferReport& report) {
  const bool well = report.outcome == serve::TransferOutcome::Done || report.outcome == serve::TransferOutcome::Stopped;
  tell(well ? log::Level::Info : log::Level::Warning, "transfer.out", report);
}

}  // namespace steward::daemon
