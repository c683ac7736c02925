#include "host/io/dataset.hpp"
#include "host/io/reference.hpp"
#include "host/registry/entry.hpp"

namespace lockstep::registry {

namespace {

/// An engine that also knows what to compare its run with.
class WithTruth final : public Engine {
 public:
  WithTruth(std::unique_ptr<Engine> engine, Truth truth)
      : engine_(std::move(engine)), description_(engine_->description()) {
    description_.has_truth = true;
    description_.truth = std::move(truth);
  }
  const EngineDescription& description() const override { return description_; }
  void configure(const Sampler& s, const PreparedMetric& m) override { engine_->configure(s, m); }
  void place(std::span<const double> q) override { engine_->place(q); }
  void evaluations(std::span<double> u, std::span<double> g) const override {
    engine_->evaluations(u, g);
  }
  void positions(std::span<double> q) const override { engine_->positions(q); }
  void momenta(std::span<double> p) const override { engine_->momenta(p); }
  Pooled advance(const Launch& l) override { return engine_->advance(l); }
  void record(const Recording& r) override { engine_->record(r); }
  Pooled advance_recording(const Launch& l) override { return engine_->advance_recording(l); }
  Statistics statistics() const override { return engine_->statistics(); }
  Draws take_draws() override { return engine_->take_draws(); }

 private:
  std::unique_ptr<Engine> engine_;
  EngineDescription description_;
};

}  // namespace

TargetEntry referenced(TargetEntry e, std::string folder, std::string posterior,
                       std::function<bool(const TargetOptions&)> applies) {
  e.reference = {std::move(folder), std::move(posterior)};
  e.make = [make = e.make, name = e.reference, applies](
               const TargetOptions& t, const SampleOptions& s) -> std::unique_ptr<Engine> {
    auto engine = make(t, s);
    if (!applies(t)) {
      return engine;
    }
    std::filesystem::path file;
    try {
      file = find_data_file(name.folder, "reference.json", t.data_dir);
    } catch (const FileError&) {
      return engine;
    }
    Truth truth = truth_of(read_reference(file, name.posterior), engine->description().names);
    return std::make_unique<WithTruth>(std::move(engine), std::move(truth));
  };
  return e;
}

}  // namespace lockstep::registry
