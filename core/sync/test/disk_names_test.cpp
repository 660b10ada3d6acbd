#include "diaryx/sync/disk_names.h"

#include <gtest/gtest.h>

#include "diaryx/sync/path.h"
#include "diaryx/sync/unicode.h"

namespace diaryx::sync {
namespace {

constexpr DiskTraits kMac{.case_insensitive = true, .normalising = true};
constexpr DiskTraits kWindows{.case_insensitive = true, .windows_names = true};

TEST(Unicode, ComposesAndDecomposes) {
  struct Case {
    const char* composed;
    const char* decomposed;
  };
  const Case cases[] = {
      {"caf\u00e9", "cafe\u0301"},
      {"\u1ec7", "e\u0323\u0302"},  // two marks, ordered by class
      {"\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"},           // Hangul is computed
      {"\u0144x", "n\u0301x"},
      {"plain.md", "plain.md"},
      {"\U0001f600", "\U0001f600"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(to_nfd(c.composed), c.decomposed);
    EXPECT_EQ(to_nfc(c.decomposed), c.composed);
    EXPECT_EQ(to_nfc(c.composed), c.composed);
  }
  EXPECT_EQ(to_nfc("e\u0302\u0323"), "\u1ec7");  // marks in the wrong order
  EXPECT_EQ(to_nfc("\u212b"), "\u00c5");         // a singleton never comes back
  EXPECT_EQ(to_nfc("\u0958"), "\u0915\u093c");   // excluded from composition
  EXPECT_EQ(to_nfc(std::string_view("\xff", 1)), "\xff");
}

TEST(Unicode, FoldsCase) {
  EXPECT_EQ(fold_case("\u00c9T\u00c9 \u0416 \u01c5.MD"), fold_case("\u00e9t\u00e9 \u0436 \u01c6.md"));
  EXPECT_EQ(fold_case("\u0100\u0101"), "\u0101\u0101");  // pairs, every other letter
  EXPECT_NE(fold_case("a"), fold_case("b"));
}

TEST(DiskNames, LeavesEverythingAloneOnAnOrdinaryDisk) {
  DiskNames names{{}};
  for (const char* key : {"a.md", "A.md", "what?.md", "a.", "caf\u00e9.md"}) {
    EXPECT_EQ(names.to_disk(key), key);
    EXPECT_EQ(names.see(key), key);
  }
}

TEST(DiskNames, GivesRefusedNamesAnAliasThatDependsOnTheNameAlone) {  // T30
  DiskNames names{kWindows};
  DiskNames elsewhere{kWindows};
  elsewhere.to_disk("what_.md");
  for (const char* key : {"what?.md", "a:b.md", "folder./x.md", "dots...", "space .md ", "<>.md", "q\"*|.md"}) {
    const std::string disk = names.to_disk(key);
    EXPECT_NE(disk, key);
    EXPECT_EQ(disk.find_first_of("<>:\"|?*"), std::string::npos) << disk;
    EXPECT_FALSE(disk.ends_with('.') || disk.ends_with(' ')) << disk;
    EXPECT_EQ(parent(disk).find_first_of("."), std::string::npos) << disk;
    EXPECT_EQ(names.to_key(disk), key);
    EXPECT_EQ(elsewhere.to_disk(key), disk);
  }
  EXPECT_EQ(names.to_disk("folder./y.md").substr(0, 8), "folder (");
}

TEST(DiskNames, KeepsNamesApartThatTheDiskTakesForOne) {
  DiskNames names{kMac};
  EXPECT_EQ(names.to_disk("note.md"), "note.md");
  const std::string alias = names.to_disk("Note.md");
  EXPECT_TRUE(alias.starts_with("Note (name ")) << alias;
  EXPECT_EQ(names.to_key(alias), "Note.md");
  EXPECT_EQ(names.to_key("note.md"), "note.md");
  EXPECT_NE(names.to_disk("caf\u00e9.md"), names.to_disk("cafe\u0301.md"));
  EXPECT_EQ(names.to_disk("f/a.md"), "f/a.md");
  EXPECT_TRUE(names.to_disk("F/a.md").starts_with("F (name "));
  EXPECT_EQ(names.to_disk("F/b.md").substr(0, 8), "F (name ");
}

TEST(DiskNames, SeesAnotherFormOfANameAsTheSameFile) {
  DiskNames names{kMac};
  names.to_disk("caf\u00e9.md");
  EXPECT_EQ(names.see("cafe\u0301.md"), "caf\u00e9.md");
  EXPECT_EQ(names.disk_name("caf\u00e9.md"), "cafe\u0301.md");
  EXPECT_EQ(names.see("u\u0308.md"), "\u00fc.md");  // new: this disk does not keep the form, so it is the usual one
}

TEST(DiskNames, SeesAnotherCaseAsARename) {
  DiskNames names{kMac};
  names.to_disk("note.md");
  EXPECT_EQ(names.to_key("note.md"), "note.md");
  EXPECT_EQ(names.see("Note.md"), "Note.md");
  EXPECT_EQ(names.to_disk("Note.md"), "Note.md");
  EXPECT_EQ(names.to_disk("note.md").substr(0, 6), "note (");  // it has lost its name
}

TEST(DiskNames, FollowsAFolderThatIsSpelledAnew) {
  DiskNames names{kMac};
  names.to_disk("f/a.md");
  names.to_disk("f/b.md");
  EXPECT_EQ(names.see("F/a.md"), "F/a.md");
  EXPECT_EQ(names.see("F/b.md"), "F/b.md");
  EXPECT_EQ(names.to_disk("F/c.md"), "F/c.md");
}

TEST(DiskNames, KnowsAnAliasOfAFolderThatIsOnDiskUnderItsOwnNameToo) {
  DiskNames names{kMac};
  names.to_disk("F/a.md");
  const std::string alias = names.to_disk("f/b.md");
  names.release("F/a.md");
  EXPECT_EQ(names.see("f/c.md"), "f/c.md");
  EXPECT_EQ(names.to_key(alias), "f/b.md");
  const std::string folder = alias.substr(0, alias.find('/'));
  EXPECT_EQ(names.see(folder + "/d.md"), "f/d.md");  // somebody puts a file beside it
  EXPECT_EQ(names.to_key(alias), "f/b.md");
  EXPECT_EQ(names.to_key("f/c.md"), "f/c.md");
  for (const char* const key : {"f/b.md", "f/c.md", "f/d.md"}) names.release(key);
  EXPECT_EQ(names.to_key(alias), alias);
}

TEST(DiskNames, LeavesAnAliasOfAFolderToWhatIsInItWhenItsOwnNameIsSpelledAnew) {
  DiskNames names{kMac};
  names.to_disk("Notes/first.md");
  const std::string deep = names.to_disk("notes/in/b.md");
  ASSERT_NE(deep, "notes/in/b.md");
  names.release("Notes/first.md");
  names.see("notes/c.md");  // the folder is there under both names now
  names.see("notes/in/e.md");
  names.settle();
  names.see("Notes/c.md");
  names.see("Notes/in/e.md");
  names.settle();
  EXPECT_EQ(names.disk_name("notes/in/b.md"), deep);
  EXPECT_EQ(names.to_key(deep), "notes/in/b.md");
  const std::string folder = deep.substr(0, deep.find('/'));
  EXPECT_EQ(names.to_disk("notes/d.md"), folder + "/d.md");
  EXPECT_EQ(names.to_disk("notes/in/f.md"), folder + "/in/f.md");
  EXPECT_EQ(names.to_key("Notes/in/e.md"), "Notes/in/e.md");
}

TEST(DiskNames, KnowsAnAliasInAFolderThatIsSpelledAnew) {
  DiskNames names{kWindows};
  const std::string alias = names.to_disk("f/what?.md");
  names.to_disk("f/b.md");
  EXPECT_EQ(names.see("F/b.md"), "F/b.md");
  EXPECT_EQ(names.to_key(alias), "f/what?.md");  // whoever tells of it tells one file after another
  EXPECT_EQ(names.see("F" + alias.substr(1)), "F/what?.md");
  names.settle();
  EXPECT_EQ(names.to_key("F" + alias.substr(1)), "F/what?.md");
}

TEST(DiskNames, KnowsWhichFileIsSeenUnderANameThatTheDiskTakesForItsOwn) {
  DiskNames names{kMac};
  names.to_disk("f/a.md");
  names.to_disk("f/b.md");
  EXPECT_EQ(names.key_of_place("F/a.md"), "f/a.md");
  EXPECT_EQ(names.key_of_place("F/c.md"), std::nullopt);
  names.see("F/a.md");
  EXPECT_EQ(names.key_of_place("F/b.md"), "f/b.md");  // not told yet
  names.settle();
  EXPECT_EQ(names.key_of_place("F/b.md"), std::nullopt);
  EXPECT_EQ(DiskNames(DiskTraits{}).key_of_place("f/b.md"), std::nullopt);
}

TEST(DiskNames, LeadsToTheFileThatHasTheNameNow) {
  DiskNames names(kMac);
  const std::string composed = "caf\u00e9.md", decomposed = "cafe\u0301.md";
  EXPECT_EQ(names.see(decomposed), composed);  // what people type
  names.restore(decomposed, decomposed);  // but the list has it as it is on the disk
  EXPECT_EQ(names.to_key(decomposed), decomposed);
  EXPECT_EQ(names.see(decomposed), decomposed);
}

TEST(DiskNames, GivesAReleasedNameToTheNext) {
  DiskNames names{kMac};
  names.to_disk("f/note.md");
  names.release("f/note.md");
  EXPECT_EQ(names.to_disk("F/Note.md"), "F/Note.md");
  names.rename("F/Note.md", "f/note.md");
  EXPECT_EQ(names.disk_name("f/note.md"), "f/note.md");
}

}  // namespace
}  // namespace diaryx::sync
