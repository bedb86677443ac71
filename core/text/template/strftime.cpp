#include "core/text/template/strftime.h"

#include <fmt/format.h>

namespace nibble::jinja {
namespace {

constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};

struct Time {
  int64_t year;
  int month, day, week_day, year_day, hour, minute, second;  // month, week_day, year_day from 0
  int64_t seconds;
};

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

bool is_leap(int64_t y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

// Civil date from a day count: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
Time split(int64_t seconds) {
  Time t{};
  t.seconds = seconds;
  const int64_t days = floor_div(seconds, 86400);
  const int64_t rest = seconds - days * 86400;
  t.hour = int(rest / 3600), t.minute = int(rest / 60 % 60), t.second = int(rest % 60);
  t.week_day = int(((days + 4) % 7 + 7) % 7);
  const int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  t.day = int(doy - (153 * mp + 2) / 5 + 1);
  t.month = int(mp < 10 ? mp + 2 : mp - 10);
  t.year = yoe + era * 400 + (t.month < 2);
  t.year_day = int(doy >= 306 ? doy - 306 : doy + 59 + is_leap(t.year));
  return t;
}

// ISO 8601 week and the year it belongs to.
std::pair<int64_t, int> iso_week(const Time& t) {
  const int monday_based = (t.week_day + 6) % 7;
  int week = (t.year_day - monday_based + 10) / 7;
  const auto weeks_in = [](int64_t y) {
    const auto p = [](int64_t n) { return (n + n / 4 - n / 100 + n / 400) % 7; };
    return p(y) == 4 || p(y - 1) == 3 ? 53 : 52;
  };
  if (week < 1) return {t.year - 1, weeks_in(t.year - 1)};
  if (week > weeks_in(t.year)) return {t.year + 1, 1};
  return {t.year, week};
}

// flag: '-' no padding, '_' spaces, '0' zeros, '\0' the directive's own.
std::string number(int64_t value, int width, char flag, char own = '0') {
  const char pad = flag == '\0' ? own : flag;
  if (pad == '-') return fmt::format("{}", value);
  return pad == '_' ? fmt::format("{:>{}}", value, width) : fmt::format("{:0>{}}", value, width);
}

std::string directive(const Time& t, char c, char flag) {
  const int hour12 = t.hour % 12 == 0 ? 12 : t.hour % 12;
  switch (c) {
    case 'a':
      return std::string(kDays[t.week_day].substr(0, 3));
    case 'A':
      return std::string(kDays[t.week_day]);
    case 'b':
    case 'h':
      return std::string(kMonths[t.month].substr(0, 3));
    case 'B':
      return std::string(kMonths[t.month]);
    case 'd':
      return number(t.day, 2, flag);
    case 'e':
      return number(t.day, 2, flag, '_');
    case 'm':
      return number(t.month + 1, 2, flag);
    case 'y':
      return number((t.year % 100 + 100) % 100, 2, flag);
    case 'Y':
      return fmt::format("{}", t.year);
    case 'C':
      return number(floor_div(t.year, 100), 2, flag);
    case 'H':
      return number(t.hour, 2, flag);
    case 'k':
      return number(t.hour, 2, flag, '_');
    case 'I':
      return number(hour12, 2, flag);
    case 'l':
      return number(hour12, 2, flag, '_');
    case 'M':
      return number(t.minute, 2, flag);
    case 'S':
      return number(t.second, 2, flag);
    case 'f':
      return "000000";
    case 'p':
      return t.hour < 12 ? "AM" : "PM";
    case 'P':
      return t.hour < 12 ? "am" : "pm";
    case 'j':
      return number(t.year_day + 1, 3, flag);
    case 'u':
      return number(t.week_day == 0 ? 7 : t.week_day, 1, flag);
    case 'w':
      return number(t.week_day, 1, flag);
    case 'U':
      return number((t.year_day + 7 - t.week_day) / 7, 2, flag);
    case 'W':
      return number((t.year_day + 7 - (t.week_day + 6) % 7) / 7, 2, flag);
    case 'V':
      return number(iso_week(t).second, 2, flag);
    case 'G':
      return fmt::format("{}", iso_week(t).first);
    case 'g':
      return number(iso_week(t).first % 100, 2, flag);
    case 's':
      return fmt::format("{}", t.seconds);
    case 'z':
    case 'Z':
      return "";  // a time without a zone
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      return std::string{'%', c};
  }
}

// Directives that stand for several others.
std::string_view composed(char c) {
  switch (c) {
    case 'c':
      return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
      return "%m/%d/%y";
    case 'F':
      return "%Y-%m-%d";
    case 'R':
      return "%H:%M";
    case 'r':
      return "%I:%M:%S %p";
    case 'T':
    case 'X':
      return "%H:%M:%S";
    default:
      return {};
  }
}

void append(std::string& out, std::string_view format, const Time& t) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    char flag = '\0';
    if (std::string_view("-_0").contains(format[i + 1]) && i + 2 < format.size())
      flag = format[++i];
    const char c = format[++i];
    if (const auto parts = composed(c); !parts.empty())
      append(out, parts, t);
    else
      out += directive(t, c, flag);
  }
}

}  // namespace

std::string format_time(std::string_view format, int64_t seconds) {
  std::string out;
  append(out, format, split(seconds));
  return out;
}

}  // namespace nibble::jinja
