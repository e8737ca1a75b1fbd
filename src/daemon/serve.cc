#include "daemon/serve.hh"

#include <sys/stat.h>

#include "base/log.hh"
#include "config/loader.hh"
#include "daemon/notify_socket.hh"
#include "daemon/server.hh"

namespace steward::daemon {

int serve(const ServeOptions& options) {
  // Keys, data and the control socket are nobody else's.
  ::umask(027);
  if (options.log_format) log::set_format(*options.log_format);
  auto config = config::load_file(options.config);
  if (!config) {
    log::error("config.refused", {{"error", config.error().what}});
    return 1;
  }
  if (options.data) config->data = *options.data;
  log::set_level(options.log_level.value_or(config->log.level));
  log::set_format(options.log_format.value_or(config->log.format));
  for (const std::string& warning : config->warnings) log::warning("config", {{"at", warning}});
  auto notify = NotifySocket::from_environment();
  if (!notify) {
    log::error("start.refused", {{"error", notify.error().what}});
    return 1;
  }
  log::info("starting", {{"version", STEWARD_VERSION}, {"config", options.config.string()}});
  Server server(std::move(*config), options, std::move(*notify));
  if (auto opened = server.open(); !opened) {
    log::error("start.refused", {{"error", opened.error().what}});
    return 1;
  }
  server.run();
  log::info("stopped");
  return 0;
}

}  // namespace steward::daemon
