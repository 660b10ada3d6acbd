// What editors send and are told, byte for byte.
#include "editor_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

Bytes bytes(std::string_view spaced) {
  std::string digits;
  for (const char c : spaced) {
    if (c != ' ') digits.push_back(c);
  }
  return *from_hex(digits);
}
relay::SharedBytes shared(Bytes one) { return std::make_shared<const Bytes>(std::move(one)); }

std::vector<std::string> told(const std::vector<Told>& all) {
  std::vector<std::string> out;
  for (const Told& one : all) out.push_back(to_hex(ByteView(*one.bytes).subspan(one.offset)));
  return out;
}
std::vector<std::string> hex(std::initializer_list<const char*> all) {
  std::vector<std::string> out;
  for (const char* one : all) out.push_back(to_hex(bytes(one)));
  return out;
}
Bytes framed(const std::string& document, std::string_view payload) {
  return *sync::encode_frame(document, bytes(payload));
}

TEST(YjsWire, PutsTheDocumentInFrontAndTakesItAway) {
  const auto wire = make_yjs_wire("body:w/a.md");
  wire->located("body:w/a.md", {"body:w/a.md"}, {});
  const Heard heard = wire->hear(bytes("00 00 01 00"));
  ASSERT_THAT(heard, SizeIs(1));
  EXPECT_EQ(std::get<ToRelay>(heard[0]).frame, framed("body:w/a.md", "00 00 01 00"));
  const auto frame = shared(framed("body:w/a.md", "00 02 02 00 00"));
  const auto out = wire->tell(frame);
  EXPECT_EQ(told(out), hex({"00 02 02 00 00"}));
  EXPECT_EQ(out[0].bytes, frame) << "not a copy for each socket";
}

TEST(YjsWire, GoesOnInAnotherDocumentWhenItsNoteIsRenamed) {
  const auto wire = make_yjs_wire("body:w/a.md");
  wire->located("body:w/a.md", {"body:w/a.md"}, {});
  wire->located("body:w/a.md", {"body:w/a longer name.md", "w", {"a.md", "a longer name.md", "X"}}, {});
  EXPECT_FALSE(wire->is_in("body:w/a.md"));
  EXPECT_EQ(std::get<ToRelay>(wire->hear(bytes("03"))[0]).frame, framed("body:w/a longer name.md", "03"));
  EXPECT_EQ(told(wire->tell(shared(framed("body:w/a longer name.md", "03")))), hex({"03"}));
}

TEST(YjsWire, AsksWhereItsNoteIsBeforeTheFirstMessage) {
  const auto wire = make_yjs_wire("body:w/a.md");
  const auto asks = [&] {
    const Heard heard = wire->hear(bytes("00 00 01 00"));
    const auto* const note = heard.size() == 1 ? std::get_if<ToFind>(&heard[0]) : nullptr;
    return note != nullptr && note->payload == bytes("00 00 01 00");
  };
  EXPECT_TRUE(asks());
  wire->located("body:w/a.md", {"body:w/~f-1"}, {});
  EXPECT_EQ(std::get<ToRelay>(wire->hear(bytes("03"))[0]).frame, framed("body:w/~f-1", "03"));
  EXPECT_EQ(told(wire->tell(shared(framed("body:w/~f-1", "00 02 02 00 00")))), hex({"00 02 02 00 00"}));
}

TEST(YjsWire, EndsWithItsAccessAndWithNothingElse) {
  const auto wire = make_yjs_wire("body:w/a.md");
  for (const char* code : {"read_only", "too_large", "invalid", "storage"}) {
    wire->tell(sync::format_control(sync::DocError{"body:w/a.md", code, "No."}));
    EXPECT_FALSE(wire->is_over()) << code;
  }
  wire->tell(sync::format_control(sync::DocError{"body:w/a.md", "unauthorized", "No."}));
  EXPECT_TRUE(wire->is_over());
}

TEST(HocuspocusWire, GoesOnForTheOtherNotesWhenOneIsRefused) {
  const auto wire = make_hocuspocus_wire();
  wire->tell(sync::format_control(sync::DocError{"body:w/a.md", "unauthorized", "No."}));
  EXPECT_FALSE(wire->is_over());
}

TEST(YjsWire, SaysRefusalsAsAuthMessagesAndNothingElse) {
  const auto wire = make_yjs_wire("body:w/a.md");
  const sync::DocError error{"body:w/a.md", "unauthorized", "No."};
  EXPECT_EQ(told(wire->tell(sync::format_control(error))), hex({"02 00 03 4e 6f 2e"}));
  EXPECT_THAT(wire->tell(sync::format_control(sync::Saved{"body:w/a.md", 1})), IsEmpty());
  EXPECT_THAT(wire->tell(sync::format_control(sync::PeerJoined{"x", 1})), IsEmpty());
  EXPECT_EQ(to_hex(wire->refused("", "No.")), to_hex(bytes("02 00 03 4e 6f 2e")));
  EXPECT_THAT(wire->accepted("", false), IsEmpty());
}

// "w/a.md"
constexpr const char* kName = "06 77 2f 61 2e 6d 64 ";

Heard hear(EditorWire& wire, const std::string& rest) { return wire.hear(bytes(kName + rest)); }

TEST(HocuspocusWire, CarriesSyncAwarenessAndQueriesOfANamedDocument) {
  const auto wire = make_hocuspocus_wire();
  wire->located("body:w/a.md", {"body:w/a.md"}, {});
  for (const char* payload : {"00 00 01 00", "01 01 00", "03"}) {
    const Heard heard = hear(*wire, payload);
    ASSERT_THAT(heard, SizeIs(1)) << payload;
    EXPECT_EQ(std::get<ToRelay>(heard[0]).frame, framed("body:w/a.md", payload));
  }
  EXPECT_EQ(told(wire->tell(shared(framed("body:w/a.md", "00 02 02 00 00")))),
            hex({"06 77 2f 61 2e 6d 64 00 02 02 00 00"}));
  EXPECT_THAT(wire->tell(shared(framed("workspace:w", "00 02 02 00 00"))), IsEmpty());
}

TEST(HocuspocusWire, TellsManySocketsInOnePieceOfMemory) {
  const auto frames = std::make_shared<HocuspocusFrames>();
  const auto one = make_hocuspocus_wire(frames);
  const auto two = make_hocuspocus_wire(frames);
  for (const auto* wire : {&one, &two}) (*wire)->located("body:w/a.md", {"body:w/a.md"}, {});
  const auto frame = shared(framed("body:w/a.md", "00 02 02 00 00"));
  const auto first = one->tell(frame);
  EXPECT_EQ(first.at(0).bytes, two->tell(frame).at(0).bytes);
  // Equal bytes of another frame are another message, and so is the same under another name.
  EXPECT_NE(first.at(0).bytes, two->tell(shared(framed("body:w/a.md", "00 02 02 00 00"))).at(0).bytes);
  const auto renamed = make_hocuspocus_wire(frames);
  renamed->located("body:w/b.md", {"body:w/a.md"}, {});
  EXPECT_EQ(told(renamed->tell(frame)), hex({"06 77 2f 62 2e 6d 64 00 02 02 00 00"}));
  EXPECT_EQ(told(one->tell(frame)), hex({"06 77 2f 61 2e 6d 64 00 02 02 00 00"}));
}

TEST(HocuspocusWire, CallsANoteByItsPathWhereverItsTextIs) {
  const auto wire = make_hocuspocus_wire();
  const Heard first = hear(*wire, "00 00 01 00");
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(std::get<ToFind>(first[0]).by_path, "body:w/a.md");
  EXPECT_EQ(std::get<ToFind>(first[0]).payload, bytes("00 00 01 00"));
  wire->located("body:w/a.md", {"body:w/~f-1"}, {});
  EXPECT_EQ(std::get<ToRelay>(hear(*wire, "03")[0]).frame, framed("body:w/~f-1", "03"));
  EXPECT_EQ(told(wire->tell(shared(framed("body:w/~f-1", "00 02 02 00 00")))),
            hex({"06 77 2f 61 2e 6d 64 00 02 02 00 00"}));
  hear(*wire, "00 02 02 00 00");
  EXPECT_EQ(told(wire->tell(sync::format_control(sync::Saved{"body:w/~f-1", 1}))), hex({"06 77 2f 61 2e 6d 64 08 01"}));
  const Heard closed = hear(*wire, "07");
  EXPECT_EQ(std::get<ToRelayText>(closed[0]).text, sync::format_control(sync::Leave{"body:w/~f-1"}));
  EXPECT_TRUE(std::holds_alternative<ToFind>(hear(*wire, "03")[0])) << "opened again, it may be elsewhere";
  wire->located("body:w/a.md", {"body:w/~f-2"}, {});
  wire->tell(sync::format_control(sync::DocError{"body:w/~f-2", "unauthorized", "No."}));
  EXPECT_TRUE(std::holds_alternative<ToFind>(hear(*wire, "03")[0])) << "after a refusal, too";
}

TEST(HocuspocusWire, TellsANoteUnderEveryNameThatItWasOpenedBy) {
  const auto wire = make_hocuspocus_wire();
  wire->located("body:w/a.md", {"body:w/a.md"}, {});
  wire->located("body:w/b.md", {"body:w/b.md"}, {});
  wire->located("body:w/a.md", {"body:w/b.md"}, {});  // it was renamed
  EXPECT_TRUE(wire->is_in("body:w/b.md"));
  EXPECT_FALSE(wire->is_in("body:w/a.md"));
  const char* const as_a = "06 77 2f 61 2e 6d 64 00 02 02 00 00";
  const char* const as_b = "06 77 2f 62 2e 6d 64 00 02 02 00 00";
  const auto frame = shared(framed("body:w/b.md", "00 02 02 00 00"));
  EXPECT_THAT(told(wire->tell(frame)), UnorderedElementsAreArray(hex({as_a, as_b})));
  EXPECT_THAT(hear(*wire, "07"), SizeIs(1)) << "the document stays open for the other name";
  EXPECT_EQ(told(wire->tell(frame)), hex({as_b}));
  const Heard closed = wire->hear(bytes("06 77 2f 62 2e 6d 64 07"));
  EXPECT_EQ(std::get<ToRelayText>(closed.at(0)).text, sync::format_control(sync::Leave{"body:w/b.md"}));
}

TEST(HocuspocusWire, ReadsTheTokenAndAnswersInKind) {
  const auto wire = make_hocuspocus_wire();
  // Token "tok", then the version that newer providers add.
  const Heard heard = hear(*wire, "02 00 03 74 6f 6b 05 34 2e 38 2e 30");
  ASSERT_THAT(heard, SizeIs(1));
  EXPECT_EQ(std::get<SignInWith>(heard[0]).name, "w/a.md");
  EXPECT_EQ(std::get<SignInWith>(heard[0]).token, "tok");
  EXPECT_EQ(to_hex(wire->accepted("w/a.md", false)),
            to_hex(bytes("06 77 2f 61 2e 6d 64 02 02 0a 72 65 61 64 2d 77 72 69 74 65")));
  EXPECT_EQ(to_hex(wire->accepted("w/a.md", true)),
            to_hex(bytes("06 77 2f 61 2e 6d 64 02 02 08 72 65 61 64 6f 6e 6c 79")));
  EXPECT_EQ(to_hex(wire->refused("w/a.md", "No.")), to_hex(bytes("06 77 2f 61 2e 6d 64 02 01 03 4e 6f 2e")));
}

TEST(HocuspocusWire, AnswersEachStoredMessageOnce) {
  const auto wire = make_hocuspocus_wire();
  wire->located("body:w/a.md", {"body:w/a.md"}, bytes("00 02 02 00 00"));
  for (int i = 0; i < 2; ++i) hear(*wire, "00 02 02 00 00");
  const auto saved = [&](uint64_t received) {
    return told(wire->tell(sync::format_control(sync::Saved{"body:w/a.md", received})));
  };
  const char* const stored = "06 77 2f 61 2e 6d 64 08 01";
  EXPECT_EQ(saved(1), hex({stored}));
  EXPECT_EQ(saved(3), hex({stored, stored}));
  EXPECT_THAT(saved(3), IsEmpty());
  const sync::DocError read_only{"body:w/a.md", "read_only", "You may not."};
  EXPECT_EQ(told(wire->tell(sync::format_control(read_only))), hex({"06 77 2f 61 2e 6d 64 08 00"}));
}

TEST(HocuspocusWire, AnswersTheNameThatAMessageCameBy) {
  const auto wire = make_hocuspocus_wire();
  const Bytes as_a = bytes("06 77 2f 61 2e 6d 64 00 02 02 00 00");
  const Bytes as_b = bytes("06 77 2f 62 2e 6d 64 00 02 02 00 00");
  const auto saved = [&](uint64_t received) {
    return told(wire->tell(sync::format_control(sync::Saved{"body:w/b.md", received})));
  };
  const char* const stored_a = "06 77 2f 61 2e 6d 64 08 01";
  const char* const stored_b = "06 77 2f 62 2e 6d 64 08 01";
  wire->located("body:w/b.md", {"body:w/b.md"}, {});
  wire->located("body:w/a.md", {"body:w/b.md"}, {});
  for (const Bytes& message : {as_a, as_b, as_b, as_a, as_b}) wire->hear(message);
  EXPECT_EQ(saved(1), hex({stored_a}));
  EXPECT_EQ(saved(4), hex({stored_b, stored_b, stored_a}));
  wire->hear(bytes("06 77 2f 62 2e 6d 64 07"));  // b is closed, and hears no more
  wire->hear(as_a);
  EXPECT_EQ(saved(6), hex({stored_a}));
}

TEST(HocuspocusWire, CountsFromTheStartWhenANoteIsOpenedAnew) {
  const auto wire = make_hocuspocus_wire();
  const auto saved = [&](uint64_t received) {
    return wire->tell(sync::format_control(sync::Saved{"body:w/~f-1", received})).size();
  };
  const std::pair<const char*, std::function<void()>> ends[] = {
      {"closed by the editor", [&] { hear(*wire, "07"); }},
      {"refused", [&] { wire->tell(sync::format_control(sync::DocError{"body:w/~f-1", "unauthorized", "No."})); }},
      {"not stored", [&] { wire->tell(sync::format_control(sync::DocError{"body:w/~f-1", "storage", "Full."})); }},
  };
  for (const auto& [how, end] : ends) {
    wire->located("body:w/a.md", {"body:w/~f-1"}, {});
    for (int i = 0; i < 3; ++i) hear(*wire, "00 02 02 00 00");  // one of which is never stored
    EXPECT_EQ(saved(2), 2u) << "before it was " << how;
    end();
    EXPECT_TRUE(std::holds_alternative<ToFind>(hear(*wire, "03")[0])) << how;
    wire->located("body:w/a.md", {"body:w/~f-1"}, {});
    for (int i = 0; i < 3; ++i) hear(*wire, "00 02 02 00 00");
    EXPECT_EQ(saved(3), 3u) << "after it was " << how;
    hear(*wire, "07");
  }
}

TEST(HocuspocusWire, LeavesADocumentAndSaysSo) {
  const auto wire = make_hocuspocus_wire();
  const Heard heard = hear(*wire, "07");
  ASSERT_THAT(heard, SizeIs(2));
  EXPECT_EQ(std::get<ToRelayText>(heard[0]).text, sync::format_control(sync::Leave{"body:w/a.md"}));
  EXPECT_EQ(to_hex(std::get<ToEditor>(heard[1]).message).substr(0, 16), to_hex(bytes("06 77 2f 61 2e 6d 64 07")));
}

TEST(HocuspocusWire, SurvivesWhatMakesNoSense) {
  const auto wire = make_hocuspocus_wire();
  EXPECT_THAT(wire->hear(bytes("0a")), IsEmpty());                   // a pong
  EXPECT_THAT(hear(*wire, "05 01 61"), IsEmpty());                   // stateless
  EXPECT_THAT(hear(*wire, "63"), IsEmpty());                         // not known yet
  EXPECT_THAT(hear(*wire, "02 00"), IsEmpty());                      // a token that is cut
  EXPECT_THAT(hear(*wire, "02 01 01 61"), IsEmpty());                // no token at all
  for (const char* broken : {"", "ff ff", "06 77 2f", "01 ff 00"}) {
    const Heard heard = wire->hear(bytes(broken));
    ASSERT_THAT(heard, SizeIs(1)) << broken;
    EXPECT_FALSE(sync::decode_frame(std::get<ToRelay>(heard[0]).frame)) << "the relay counts it";
  }
  Writer long_name;
  long_name.var_string(std::string(251, 'x'));
  long_name.var_uint(0);
  const Heard heard = wire->hear(long_name.view());
  ASSERT_THAT(heard, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<ToEditor>(heard[0]));
}

TEST(EditorClose, IsForGoodOnlyWhenAccessEnded) {
  EXPECT_EQ(editor_close_code(relay::CloseCode::PolicyViolation), 4403);
  EXPECT_EQ(editor_close_code(relay::CloseCode::GoingAway), 1001);
  EXPECT_EQ(editor_close_code(relay::CloseCode::TryAgainLater), 1013);
}

}  // namespace
}  // namespace diaryx::server
