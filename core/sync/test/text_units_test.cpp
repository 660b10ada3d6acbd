// An edit of an older text finds its place in a document that went on, whatever the texts look like.
#include "replica/text_units.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "diaryx/base/utf.h"
#include "replica/body_doc.h"

namespace diaryx::sync {
namespace {

/// Replaces the body, as a person elsewhere does.
void write(BodyDoc& doc, const std::string& body) { doc.set_text("", body); }

std::string carried(const std::string& before, const std::string& theirs, const std::string& ours) {
  BodyDoc doc{ClientId{7}};
  write(doc, before);
  TextUnits units = doc.units();
  write(doc, theirs);
  doc.merge_text(units, {"", before}, {"", ours});
  return doc.body();
}

TEST(TextUnits, AreTheBodyUnitByUnit) {
  BodyDoc doc{ClientId{7}};
  doc.set_text("---\n---\n", "é😀\n");
  EXPECT_EQ(length_of(doc.units().body), utf16_length("é😀\n"));
}

TEST(TextUnits, ComeBackFromALineOfText) {
  BodyDoc doc{ClientId{7}};
  doc.set_text("", "body\n");
  write(doc, "bo-dy\n");
  const Result<TextUnits> read = decode_units(encode_units(doc.units()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, doc.units());
  for (const char* junk : {"", "1", "1.2;", ";1.2.", "1.2.3", "x.y.z;", "1.4294967295.9;"})
    EXPECT_FALSE(decode_units(junk)) << junk;
}

TEST(TextUnits, CarryAnEditOverWhatOthersTyped) {
  EXPECT_EQ(carried("one\ntwo\n", "zero\none\ntwo\n", "one\ntwo\nthree\n"), "zero\none\ntwo\nthree\n");
  EXPECT_EQ(carried("one\ntwo\n", "one\nnew\ntwo\n", "two\n"), "new\ntwo\n");
  EXPECT_EQ(carried("one\ntwo\n", "two\n", "one\ntwo\nthree\n"), "two\nthree\n");
}

TEST(TextUnits, DoNotTakeOneLineForAnother) {
  // Comparing texts, `line 2` is a changed `line 1`, and deleting that would tear it.
  EXPECT_EQ(carried("line 1 of it\nend\n", "end\nline 2 of it\n", "end\n"), "end\nline 2 of it\n");
}

TEST(TextUnits, DoWhatWasReplacedAlikeOnce) {
  EXPECT_EQ(carried("- [ ] task\n", "- [x] task\n", "- [x] task\nmore\n"), "- [x] task\nmore\n");
  EXPECT_EQ(carried("see teh cat\n", "see the cat\n", "all\nsee the cat\n"), "all\nsee the cat\n");
  EXPECT_EQ(carried("one\ntwo\n", "zero\none\nTWO", "one\nTWO"), "zero\none\nTWO");
  // Only that: who replaces it by something else, or types without replacing anything, is heard.
  EXPECT_EQ(carried("- [ ] task\n", "- [x] task\n", "- [-] task\n"), "- [x][-] task\n");
  EXPECT_EQ(carried("tally |\n", "tally ||\n", "tally ||\nend\n"), "tally |||\nend\n");
  EXPECT_EQ(carried("- [ ] task\n", "- [x] my task\n", "- [x] task\n"), "- [x] my[x] task\n");
}

TEST(TextUnits, SayWhatTheEditedTextIsMadeOf) {
  std::mt19937 random(3);
  const auto text = [&] {
    std::string made;
    for (unsigned i = random() % 8; i > 0; --i)
      made += std::string(1 + random() % 3, static_cast<char>('a' + random() % 4)) + "é😀\n";
    return made;
  };
  for (int round = 0; round < 2000; ++round) {
    BodyDoc doc{ClientId{7}};
    const std::string before = text();
    write(doc, before);
    TextUnits units = doc.units();
    write(doc, text());
    const std::string first = text(), second = text();
    doc.merge_text(units, {"", before}, {"", first});
    ASSERT_EQ(length_of(units.body), utf16_length(first));
    doc.merge_text(units, {"", first}, {"", second});
    ASSERT_EQ(length_of(units.body), utf16_length(second));
    // Without the others the document would be exactly what was typed.
    TextUnits all = doc.units();
    doc.merge_text(units, {"", second}, {"", ""});
    ASSERT_TRUE(units.body.empty());
    ASSERT_LE(length_of(doc.units().body).value(), length_of(all.body).value());
  }
}

}  // namespace
}  // namespace diaryx::sync
