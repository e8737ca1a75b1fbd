#pragma once
// The log: one event, one line, `key=value`, on stderr. `text` for people, `json` for machines.
//
//   log::info("zone.loaded", {{"zone", name}, {"serial", serial}, {"nodes", count}});
//
// The layer that decides logs; the layer that fails returns a Result. Nothing is logged per query. Any thread
// may call; a line is written with one write(2). Values are escaped: control characters never reach a terminal.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace steward::log {

enum class Level : uint8_t { Debug, Info, Notice, Warning, Error };
enum class Format : uint8_t { Text, Json };

/// One `key=value` of a line. Numbers stay numbers in JSON.
struct Field {
  std::string_view key;
  std::string value;
  bool number = false;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  template <class N>
    requires std::is_arithmetic_v<N>
  Field(std::string_view k, N v) : key(k), value(std::to_string(v)), number(true) {}
};

void set_level(Level least);
void set_format(Format format);

void write(Level level, std::string_view event, std::initializer_list<Field> fields);

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Debug, event, fields); }
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Info, event, fields); }
inline void notice(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Notice, event, fields); }
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::Warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::Error, event, fields); }

}  // namespace steward::log
