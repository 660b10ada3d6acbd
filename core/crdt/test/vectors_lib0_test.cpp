// Vectors 00: the primitives, written and read.
#include <cmath>

#include "any_codec.h"
#include "columns.h"
#include "tagged.h"
#include "vectors.h"

namespace diaryx::crdt {
namespace {

std::vector<Any> values_of(const Any& vector) {
  std::vector<Any> values;
  for (const Any& value : elements(member(vector, "values"))) values.push_back(driver::from_tagged(value));
  return values;
}

template <typename ColumnWriter, typename ColumnReader>
void check_column(const std::vector<Any>& values, const std::string& hex) {
  ColumnWriter writer;
  for (const Any& value : values) writer.write(static_cast<uint32_t>(number_of(value)));
  EXPECT_EQ(to_hex(writer.finish()), hex);
  const Bytes bytes = from_hex(hex).value_or(Bytes{});
  ColumnReader reader(bytes);
  for (const Any& value : values) EXPECT_EQ(static_cast<double>(reader.read()), number_of(value));
  EXPECT_TRUE(reader.ok());
}

struct ByteColumnWriter : RleWriter {
  void write(uint32_t value) { RleWriter::write(static_cast<uint8_t>(value)); }
};

void check_strings(const std::vector<Any>& values, const std::string& hex) {
  StringWriter writer;
  bool whole = true;  // half a surrogate pair cannot be said in UTF-8; such a vector is only read
  for (const Any& value : values) {
    writer.write(text_of(value));
    whole = whole && text_of(value).find("\xef\xbf\xbd") == std::string::npos;
  }
  Sink out;
  writer.finish(out);
  if (whole) EXPECT_EQ(to_hex(out.view()), hex);
  std::vector<Bytes> scratch;
  const Bytes bytes = from_hex(hex).value_or(Bytes{});
  StringReader reader(bytes, scratch);
  for (const Any& value : values) EXPECT_EQ(std::string(reader.read()), text_of(value));
  EXPECT_TRUE(reader.ok());
}

void check_var_int(const Any& value, const std::string& hex) {
  const double number = *value.as_number();
  const bool negative = std::signbit(number);
  Sink out;
  out.var_int(static_cast<uint64_t>(negative ? -number : number), negative);
  EXPECT_EQ(to_hex(out.view()), hex);
  const Bytes bytes = from_hex(hex).value_or(Bytes{});
  Cursor in(bytes);
  const SignedMagnitude read = in.var_int();
  EXPECT_TRUE(in.ok() && in.at_end());
  EXPECT_EQ(static_cast<double>(read.magnitude), negative ? -number : number);
  EXPECT_EQ(read.negative, negative);
}

void check_any(const Any& value, const std::string& hex) {
  EXPECT_EQ(to_hex(value.encode()), hex);
  const Bytes bytes = from_hex(hex).value_or(Bytes{});
  Reader in(bytes);
  const auto read = Any::decode(in);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(to_hex(read->encode()), hex);
  Cursor skipping(bytes);
  EXPECT_TRUE(skip_any(skipping, 1000));
  EXPECT_TRUE(skipping.ok() && skipping.at_end());
}

TEST(Vectors, PrimitivesAreWrittenAndReadAsInLib0) {
  size_t checked = 0;
  for (const Any& vector : read_vectors("00-lib0.jsonl")) {
    const std::string kind = text_of(member(vector, "kind"));
    const std::string hex = text_of(member(vector, "hex"));
    SCOPED_TRACE(vector.to_json());
    if (kind == "uintOptRle") {
      check_column<RunWriter, RunReader>(values_of(vector), hex);
    } else if (kind == "intDiffOptRle") {
      check_column<DifferenceWriter, DifferenceReader>(values_of(vector), hex);
    } else if (kind == "rleUint8") {
      check_column<ByteColumnWriter, RleReader>(values_of(vector), hex);
    } else if (kind == "stringEncoder") {
      check_strings(values_of(vector), hex);
    } else if (kind == "any") {
      check_any(driver::from_tagged(member(vector, "value")), hex);
    } else if (kind == "varInt") {
      check_var_int(driver::from_tagged(member(vector, "value")), hex);
    } else if (kind == "varUint") {
      Sink out;
      out.var_uint(static_cast<uint64_t>(number_of(member(vector, "value"))));
      EXPECT_EQ(to_hex(out.view()), hex);
    } else {
      continue;  // intDiff and rleIntDiff are not used by updates; varString is base's
    }
    ++checked;
  }
  EXPECT_GE(checked, 120u);
}

}  // namespace
}  // namespace diaryx::crdt
