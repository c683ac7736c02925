#pragma once

/// The forms in which a study's rows are shown.

#include <filesystem>
#include <string>

#include "bench/cli/table.hpp"
#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// A row for each case and method, a column for each metric; "value +- standard error" or
/// "median [range]" over seeds.
TextTable study_table(const StudyResult& result);

/// {study, settings, rows: [{case, method, metric, value, mcse, reference, source, low,
/// high}], notes, interrupted, lockstep}.
Json study_json(const Study& study, const StudySettings& settings, const StudyResult& result);

enum class ReportFormat { markdown, html };

/// By the file's extension. @throw UsageError for another than .md, .html or .htm
ReportFormat report_format(const std::filesystem::path& path);

/// One page without outside references.
std::string study_report(const Study& study, const StudySettings& settings,
                         const StudyResult& result, ReportFormat format);

}  // namespace lockstep::bench
