#pragma once

/// The forms in which a study's rows are shown.

#include <filesystem>
#include <string>
#include <vector>

#include "bench/cli/table.hpp"
#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// "value +- standard error" or "median [range]" over seeds, with the reference in brackets: a row
/// for each case and method, a column for each metric. Or, where the result asks for it, a table
/// for each case, named by its first heading: a row for each metric, a column for each method.
std::vector<TextTable> study_tables(const StudyResult& result);

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
