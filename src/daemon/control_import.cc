#include "daemon/control_import.hh"

#include "config/namespace.hh"
#include "daemon/control_registry.hh"

namespace steward::daemon {
namespace {

Json json_of(const ImportRow& row) {
  const ImportOutcome outcome = row.outcome.value_or(ImportOutcome::Refused);
  Json json = {{"source", row.source}, {"pointer", row.pointer}, {"outcome", to_text(outcome)}};
  if (row.agent)
    json["agent"] = row.agent->to_text();
  else
    json["name"] = row.name.empty() ? row.manifest.name : row.name;
  if (!row.manifest.version.empty()) json["version"] = row.manifest.version;
  if (outcome == ImportOutcome::Refused) json["rule"] = row.rule;
  if (!row.manifest.notes.empty()) json["notes"] = row.manifest.notes;
  if (row.first)
    json["first"] = {{"source", row.first->source},
                     {"element", row.first->element ? Json(*row.first->element) : Json(nullptr)}};
  return json;
}

std::vector<ImportText> texts_of(const Json& request) {
  std::vector<ImportText> texts;
  for (const Json& manifest : request.at("manifests")) {
    ImportText& text = texts.emplace_back();
    text.source = manifest.at("source").get<uint32_t>();
    text.pointer = argument(manifest, "pointer");
    text.text = manifest.at("text").get<std::string>();
  }
  return texts;
}

/// The names of this connection's import so far.
std::shared_ptr<ImportRun> run_of(const Reply& reply) {
  auto* run = std::any_cast<std::shared_ptr<ImportRun>>(&reply->kept());
  if (run == nullptr) run = &reply->kept().emplace<std::shared_ptr<ImportRun>>(std::make_shared<ImportRun>());
  return *run;
}

}  // namespace

void agent_import(Server& server, const Json& request, const Reply& reply) {
  const auto& policy = server.publish_policy();
  ImportDesk* desk = server.imports();
  if (!policy || desk == nullptr)
    return end(reply, "there is no registry here: the configuration has no `registry`, or its zone is not one of ours");
  const auto custody = server.custody();
  if (!custody) return end(reply, "the registry has no custodial key (registry.custody-key): the log says why");
  ImportBatch batch;
  batch.terms = {policy, custody, std::nullopt, request.value("dry_run", false)};
  if (!argument(request, "namespace").empty()) {
    const auto space = space_argument(request, *policy);
    if (!space) return end(reply, space.error().what);
    batch.terms.space = *space;
  }
  batch.texts = texts_of(request);
  batch.run = run_of(reply);
  const auto progress = [reply](size_t done, size_t total) {
    send(reply, {{"progress", {{"done", done}, {"total", total}, {"what", "importing"}}}});
  };
  desk->take(std::move(batch), progress,
             [reply, number = request.value("batch", uint64_t{0})](const std::vector<ImportRow>& rows) {
               Json told = Json::array();
               for (const ImportRow& row : rows) told.push_back(json_of(row));
               end_with(reply, {{"batch", number}, {"rows", std::move(told)}});
             });
}

}  // namespace steward::daemon
