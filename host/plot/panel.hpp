#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "host/plot/axis.hpp"

namespace lockstep::plot {

/// One small chart: marks over a pair of axes, as inline SVG. Colours are CSS classes ("a", "b",
/// ...), so that the page decides how they look, in the dark and on paper too. Marks are drawn in
/// the order they are added; what lies outside the axes is clipped, what is not finite left out.
class Panel {
 public:
  /// @param description  what a screen reader says
  Panel(Axis x, Axis y, std::string description);

  void line(std::span<const double> x, std::span<const double> y, const std::string& colour);
  /// Between two lines.
  void band(std::span<const double> x, std::span<const double> low, std::span<const double> high,
            const std::string& colour);
  /// Between a line and the bottom.
  void area(std::span<const double> x, std::span<const double> y, const std::string& colour);
  void dots(std::span<const double> x, std::span<const double> y, const std::string& colour);
  void crosses(std::span<const double> x, std::span<const double> y, const std::string& colour);
  /// Across the whole panel.
  void vertical(double x, const std::string& colour);
  void horizontal(double y, const std::string& colour);
  /// A ground for cells.
  void plane();
  /// A rectangle in heat level -3 .. 3; 0 is not drawn. Rectangles of a level share one mark, above
  /// all others.
  void cell(double x0, double x1, double y0, double y1, int level);

  std::string svg() const;

 private:
  using Lines = std::vector<std::pair<std::size_t, std::size_t>>;
  double across(double x) const;
  double down(double y) const;
  std::string path(std::span<const double> x, std::span<const double> y) const;
  void mark(const std::string& kind, const std::string& colour, const std::string& data);

  Axis x_, y_;
  std::string description_;
  std::string marks_;
  std::array<std::string, 7> heat_;
};

}  // namespace lockstep::plot
