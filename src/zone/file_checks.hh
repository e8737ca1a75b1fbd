#pragma once
// The rules about what a zone must hold, beyond the syntax of its records: the rows of zone_rules()
// (zone/file_report.hh).

#include "zone/file_image.hh"
#include "zone/file_report.hh"

namespace steward::zone {

/// Checks an arranged image whose owner table still has its index; reports by file and line. Time is linear in its
/// records.
void check_zone_file(FileImage& image, FileReport& report);

}  // namespace steward::zone
