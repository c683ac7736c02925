/// lockstep-bench: finds the command, runs it, and turns every failure into one line on stderr and
/// an exit status.

#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cli/command.hpp"
#include "bench/cli/parse.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {
namespace {

constexpr const char* kExamples = R"(Examples:
  lockstep-bench list
  lockstep-bench run --target banana --chains 4096
  lockstep-bench run --target german-credit --sampler hmc --json fit.json --draws-out draws.npy
  lockstep-bench run --target integer-grid --sampler dhmc
  lockstep-bench train --target scg --noise-weight 0 --output network.json
  lockstep-bench run --target scg --sampler l2hmc --network network.json
  lockstep-bench check --target eight-schools-nc
  lockstep-bench speed --target icg --chains 1024 16384
  lockstep-bench study default --report study.html
  lockstep-bench sweep bench/sweeps/well-tuned-hmc.toml --report sweep.html
`lockstep-bench COMMAND --help` has each command's options.
Exit status: 0 done, 1 failed, 2 bad request (one line says what), 130 interrupted,
143 terminated.)";

/// One line, whatever the message was.
int complain(std::string message, int status) {
  for (char& c : message) {
    c = c == '\n' || c == '\r' ? ' ' : c;
  }
  while (!message.empty() && message.back() == ' ') {
    message.pop_back();
  }
  std::cout.flush();
  std::cerr << "lockstep-bench: " << message << '\n';
  return status;
}

int main(int argc, char** argv) {
  CLI::App app("Batched MCMC: thousands of chains in lockstep, and studies of them.",
               "lockstep-bench");
  app.set_version_flag("--version", "lockstep-bench " LOCKSTEP_VERSION, "Print the version");
  app.footer(kExamples);
  const std::vector<Command> commands{run_command(app),   train_command(app), list_command(app),
                                      check_command(app), speed_command(app), study_command(app),
                                      sweep_command(app)};
  try {
    if (!parse(app, argc, argv)) {
      return kOk;
    }
    for (const Command& command : commands) {
      if (command.app->parsed()) {
        const int status = command.run();
        std::cout.flush();
        require<FileError>(std::cout.good(), "stdout: cannot be written to");
        return status;
      }
    }
    std::cout << app.help();
    return kOk;
  } catch (const BackendError& e) {
    return complain(e.what(), kFailed);
  } catch (const Error& e) {
    return complain(e.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return complain(
        "not enough memory: ask for fewer --chains or --draws, or keep fewer of them "
        "with --keep-chains, --keep-parameters or --thin",
        kUsage);
  } catch (const std::length_error&) {
    return complain("an array would be larger than any memory: ask for fewer --chains or --draws",
                    kUsage);
  } catch (const std::exception& e) {
    return complain(std::string("internal error: ") + e.what(), kFailed);
  }
}

}  // namespace
}  // namespace lockstep::bench

int main(int argc, char** argv) {
  return lockstep::bench::main(argc, argv);
}
