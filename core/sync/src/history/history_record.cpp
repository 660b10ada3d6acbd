#include "diaryx/sync/history_record.h"

#include <algorithm>

#include "diaryx/base/sha256.h"

namespace diaryx::sync {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kCheckBytes = 8;

constexpr uint8_t kOriginMask = 0x07;
constexpr uint8_t kHasDevice = 0x08;
constexpr uint8_t kHasNote = 0x10;
constexpr uint8_t kIsMerged = 0x20;
constexpr uint8_t kUnusedFlags = 0xc0;

/// Times beyond the year 9999 are nobody's; within, differences cannot overflow.
constexpr int64_t kLatestMs = 253'402'300'799'999;

ByteView check_of(const Sha256& digest) { return ByteView(digest.bytes).first(kCheckBytes); }

/// Devices in the order in which they first came.
class DeviceTable {
 public:
  uint64_t index(const HistoryDevice& device) {
    const auto found = std::ranges::find(devices_, device);
    if (found != devices_.end()) return static_cast<uint64_t>(found - devices_.begin());
    devices_.push_back(device);
    return devices_.size() - 1;
  }
  void write(Writer& out) const {
    out.var_uint(devices_.size());
    for (const HistoryDevice& device : devices_) {
      out.var_string(device.id);
      out.var_string(device.name);
    }
  }

 private:
  std::vector<HistoryDevice> devices_;
};

void write_record(Writer& out, DeviceTable& devices, const HistoryRecord& record, uint64_t previous_sequence,
                  int64_t previous_ms) {
  const bool has_device = record.device != HistoryDevice{};
  const bool is_merged = record.merged != 1 || record.span != DurationMs{} || !record.writers.empty();
  const int64_t time = std::clamp(record.time.value(), -kLatestMs, kLatestMs);
  const int64_t difference = time - previous_ms;
  out.var_uint(record.sequence - previous_sequence);
  out.var_int(
      {.magnitude = static_cast<uint64_t>(difference < 0 ? -difference : difference), .negative = difference < 0});
  out.u8(static_cast<uint8_t>(static_cast<uint8_t>(record.origin) | (has_device ? kHasDevice : 0) |
                              (record.note.empty() ? 0 : kHasNote) | (is_merged ? kIsMerged : 0)));
  if (has_device) out.var_uint(devices.index(record.device));
  if (!record.note.empty()) out.var_string(record.note);
  if (is_merged) {
    out.var_uint(record.merged);
    out.var_uint(static_cast<uint64_t>(std::clamp(record.span.value(), int64_t{0}, kLatestMs)));
    out.var_uint(record.writers.size());
    for (const HistoryWriter& writer : record.writers) {
      out.var_uint(writer.client.value());
      out.var_uint(devices.index(writer.device));
    }
  }
  out.var_bytes(record.update);
}

Result<std::vector<HistoryDevice>> read_devices(Reader& in) {
  DX_TRY(const uint64_t count, in.var_uint());
  if (count > in.remaining() / 2) return fail(ErrorCode::Truncated, in.position());
  std::vector<HistoryDevice> devices;
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(const std::string_view id, in.var_string());
    DX_TRY(const std::string_view name, in.var_string());
    devices.push_back({std::string(id), std::string(name)});
  }
  return devices;
}

Result<HistoryDevice> read_device(Reader& in, std::span<const HistoryDevice> devices) {
  DX_TRY(const uint64_t index, in.var_uint());
  if (index >= devices.size()) return fail(ErrorCode::BadReference, in.position());
  return devices[static_cast<size_t>(index)];
}

Result<void> read_merged(Reader& in, std::span<const HistoryDevice> devices, HistoryRecord& record) {
  DX_TRY(record.merged, in.var_uint());
  DX_TRY(const uint64_t span, in.var_uint());
  if (span > static_cast<uint64_t>(kLatestMs)) return fail(ErrorCode::NumberOutOfRange, in.position());
  record.span = DurationMs{static_cast<int64_t>(span)};
  DX_TRY(const uint64_t count, in.var_uint());
  if (count > in.remaining() / 2) return fail(ErrorCode::Truncated, in.position());
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(const uint64_t client, in.var_uint());
    DX_TRY(HistoryDevice device, read_device(in, devices));
    record.writers.push_back({ClientId{client}, std::move(device)});
  }
  return {};
}

Result<HistoryRecord> read_record(Reader& in, std::span<const HistoryDevice> devices, uint64_t previous_sequence,
                                  int64_t previous_ms) {
  HistoryRecord record;
  DX_TRY(const uint64_t step, in.var_uint());
  if (step == 0 || step > kMaxVarUint - previous_sequence) return fail(ErrorCode::BadReference, in.position());
  record.sequence = previous_sequence + step;
  DX_TRY(const SignedMagnitude difference, in.var_int());
  if (difference.magnitude > uint64_t{2} * kLatestMs) return fail(ErrorCode::NumberOutOfRange, in.position());
  const int64_t magnitude = static_cast<int64_t>(difference.magnitude);
  const int64_t time = previous_ms + (difference.negative ? -magnitude : magnitude);
  if (time > kLatestMs || time < -kLatestMs) return fail(ErrorCode::NumberOutOfRange, in.position());
  record.time = TimestampMs{time};
  DX_TRY(const uint8_t flags, in.u8());
  const uint8_t origin = flags & kOriginMask;
  if ((flags & kUnusedFlags) != 0 || origin > static_cast<uint8_t>(HistoryOrigin::Base))
    return fail(ErrorCode::UnknownTag, in.position());
  record.origin = static_cast<HistoryOrigin>(origin);
  if ((flags & kHasDevice) != 0) {
    DX_TRY(record.device, read_device(in, devices));
  }
  if ((flags & kHasNote) != 0) {
    DX_TRY(const std::string_view note, in.var_string());
    record.note = note;
  }
  if ((flags & kIsMerged) != 0) DX_TRY_VOID(read_merged(in, devices, record));
  DX_TRY(const ByteView update, in.var_bytes());
  record.update = to_bytes(update);
  return record;
}

}  // namespace

Result<Bytes> encode_history_block(std::span<const HistoryRecord> records) {
  DX_ASSERT(!records.empty());
  DeviceTable devices;
  Writer body;
  uint64_t sequence = 0;
  int64_t time = 0;
  for (const HistoryRecord& record : records) {
    DX_ASSERT(record.sequence > sequence);
    write_record(body, devices, record, sequence, time);
    sequence = record.sequence;
    time = std::clamp(record.time.value(), -kLatestMs, kLatestMs);
  }
  Writer out;
  out.u8(kVersion);
  devices.write(out);
  out.var_uint(records.size());
  out.raw(body.view());
  if (out.size() > kMaxHistoryBlockBytes) return fail(ErrorCode::TooLarge);
  const Sha256 digest = sha256(out.view());
  out.raw(check_of(digest));
  return out.take();
}

Result<std::vector<HistoryRecord>> decode_history_block(ByteView block) {
  if (block.size() > kMaxHistoryBlockBytes + kCheckBytes) return fail(ErrorCode::TooLarge);
  if (block.size() < kCheckBytes) return fail(ErrorCode::Truncated, block.size());
  const ByteView content = block.first(block.size() - kCheckBytes);
  const Sha256 digest = sha256(content);
  if (!std::ranges::equal(check_of(digest), block.last(kCheckBytes))) return fail(ErrorCode::Conflict, content.size());

  Reader in(content);
  DX_TRY(const uint8_t version, in.u8());
  if (version != kVersion) return fail(ErrorCode::UnknownTag, 0);
  DX_TRY(const std::vector<HistoryDevice> devices, read_devices(in));
  DX_TRY(const uint64_t count, in.var_uint());
  if (count == 0 || count > in.remaining() / 4) return fail(ErrorCode::Truncated, in.position());
  std::vector<HistoryRecord> records;
  uint64_t sequence = 0;
  int64_t time = 0;
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(HistoryRecord record, read_record(in, devices, sequence, time));
    sequence = record.sequence;
    time = record.time.value();
    records.push_back(std::move(record));
  }
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return records;
}

std::string_view name_of(HistoryOrigin origin) {
  switch (origin) {
    case HistoryOrigin::Local: return "local";
    case HistoryOrigin::Remote: return "remote";
    case HistoryOrigin::Sync: return "sync";
    case HistoryOrigin::Restore: return "restore";
    case HistoryOrigin::Import: return "import";
    case HistoryOrigin::Move: return "move";
    case HistoryOrigin::Base: return "base";
  }
  return "local";
}

std::string_view wire_name_of(HistoryOrigin origin) {
  switch (origin) {
    case HistoryOrigin::Remote: return "remote";
    case HistoryOrigin::Sync:
    case HistoryOrigin::Base: return "sync";
    default: return "local";
  }
}

}  // namespace diaryx::sync
