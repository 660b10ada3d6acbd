#include "memory_storage.h"

#include <algorithm>

#include "blob_store.h"

namespace diaryx::server {
namespace {

using Kind = StorageError::Kind;

std::unexpected<StorageError> no(Kind kind, std::string why = "memory") {
  return std::unexpected(StorageError{kind, std::move(why)});
}

template <typename Map, typename Predicate>
void drop_if(Map& map, Predicate predicate) {
  std::erase_if(map, predicate);
}

}  // namespace

void MemoryStorage::release(size_t count) {
  for (; count > 0 && !waiting_.empty(); --count) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next();
  }
  holding_ = holding_ && count == 0;
}

template <typename T>
void MemoryStorage::answer(Reply<T> reply, StorageResult<T> result) {
  if (!holding_) return reply(std::move(result));
  waiting_.push_back([reply = std::move(reply), result = std::move(result)]() mutable { reply(std::move(result)); });
}

template <typename T, typename Work>
void MemoryStorage::write(Reply<T> reply, Work work) {
  if (failing_writes_ > 0) {
    --failing_writes_;
    return answer<T>(std::move(reply), no(write_failure_, "a fault was asked for"));
  }
  answer<T>(std::move(reply), work());
}

template <typename T, typename Work>
void MemoryStorage::read(Reply<T> reply, Work work) {
  if (failing_reads_ > 0) {
    --failing_reads_;
    return answer<T>(std::move(reply), no(read_failure_, "a fault was asked for"));
  }
  answer<T>(std::move(reply), work());
}

// --- documents ------------------------------------------------------------------------------------------------------

void MemoryStorage::load_document(std::string document, Reply<StoredDocument> reply) {
  read(std::move(reply), [&]() -> StorageResult<StoredDocument> {
    StoredDocument stored;
    const auto found = documents_.find(document);
    if (found == documents_.end()) return stored;
    stored.snapshot = found->second.snapshot;
    stored.last = relay::Sequence{found->second.through};
    for (const Record& record : found->second.records) {
      if (record.sequence <= found->second.through) continue;
      stored.updates.push_back(record.bytes);
      stored.last = relay::Sequence{record.sequence};
    }
    return stored;
  });
}

void MemoryStorage::take_over(Reply<uint64_t> reply) {
  write(std::move(reply), [&]() -> StorageResult<uint64_t> { return ++writer_; });
}

void MemoryStorage::append_update(NewUpdate update, Reply<relay::Sequence> reply) {
  write(std::move(reply), [&]() -> StorageResult<relay::Sequence> {
    if (update.epoch != writer_) return no(Kind::Superseded);
    if (!workspaces_.contains(update.workspace)) return no(Kind::NotFound);
    Document& document = documents_[update.document];
    document.workspace = update.workspace;
    document.records.push_back({++last_sequence_, *update.bytes, update.time, update.origin, update.device_id});
    return relay::Sequence{last_sequence_};
  });
}

void MemoryStorage::store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through,
                                   uint64_t epoch, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    if (epoch != writer_) return no(Kind::Superseded);
    const auto found = documents_.find(document);
    if (found == documents_.end() || found->second.through > through.value()) return {};
    found->second.snapshot = *state;
    found->second.through = through.value();
    return {};
  });
}

void MemoryStorage::list_documents(std::string workspace, Reply<std::vector<std::string>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<std::string>> {
    std::vector<std::string> names;
    for (const auto& [name, document] : documents_) {
      if (document.workspace == workspace) names.push_back(name);
    }
    return names;
  });
}

void MemoryStorage::list_changes(std::string workspace, std::optional<relay::Sequence> since,
                                 Reply<ChangedDocuments> reply) {
  read(std::move(reply), [&]() -> StorageResult<ChangedDocuments> {
    ChangedDocuments changed{.known = false, .documents = {}, .through = relay::Sequence{last_sequence_}};
    changed.known = since && since->value() >= pruned_through_ && since->value() <= last_sequence_;
    if (!changed.known) return changed;
    for (const auto& [name, document] : documents_) {
      const bool later = !document.records.empty() && document.records.back().sequence > since->value();
      if (document.workspace == workspace && later) changed.documents.push_back(name);
    }
    return changed;
  });
}

void MemoryStorage::barrier(Reply<void> reply) {
  write(std::move(reply), []() -> StorageResult<void> { return {}; });
}

void MemoryStorage::prune_history(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) {
  write(std::move(reply), [&]() -> StorageResult<Pruned> {
    const TimestampMs before = now + DurationMs{-keep.value()};
    std::map<uint64_t, TimestampMs> times;
    for (const auto& [name, document] : documents_) {
      for (const Record& record : document.records) times.emplace(record.sequence, record.time);
    }
    for (const auto& [sequence, time] : times) {
      if (time >= before && time <= now) break;
      if (time < before) pruned_through_ = std::max(pruned_through_, sequence);
    }
    Pruned pruned;
    for (auto& [name, document] : documents_) {
      std::erase_if(document.records, [&](const Record& record) {
        if (record.sequence > std::min(document.through, pruned_through_) || record.time >= before) return false;
        if (pruned.records == max_records) return false;
        ++pruned.records;
        return true;
      });
    }
    pruned.more = pruned.records == max_records;
    return pruned;
  });
}

void MemoryStorage::load_past(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) {
  read(std::move(reply), [&]() -> StorageResult<DocumentPast> {
    DocumentPast past;
    const auto found = documents_.find(document);
    if (found == documents_.end()) return past;
    past.snapshot = found->second.snapshot;
    past.through = relay::Sequence{found->second.through};
    past.begins_at_start = pruned_through_ == 0;
    uint64_t size_bytes = past.snapshot.size();
    for (const Record& record : found->second.records) {
      const auto device = devices_.find(record.device_id);
      past.records.push_back({relay::Sequence{record.sequence}, record.time, record.origin, record.device_id,
                              device == devices_.end() ? std::string() : device->second.device.name, record.bytes});
      size_bytes += record.bytes.size();
    }
    if (size_bytes > max_bytes) return no(Kind::TooMany);
    return past;
  });
}

void MemoryStorage::changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                                      Reply<std::vector<ChangedDocument>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<ChangedDocument>> {
    std::vector<ChangedDocument> changed;
    for (const auto& [name, document] : documents_) {
      if (document.workspace != workspace || document.records.empty()) continue;
      const relay::Sequence last{document.records.back().sequence};
      if (last > after) changed.push_back({name, last});
    }
    std::sort(changed.begin(), changed.end(), [](const auto& a, const auto& b) { return a.last > b.last; });
    if (changed.size() > limit) changed.resize(limit);
    return changed;
  });
}

/// Memory has no check values.
void MemoryStorage::review(ReviewPlace, uint64_t, Reply<StorageReview> reply) {
  read(std::move(reply), []() -> StorageResult<StorageReview> { return StorageReview{}; });
}

void MemoryStorage::lineage(Reply<std::string> reply) {
  read(std::move(reply), []() -> StorageResult<std::string> { return std::string("memory"); });
}

// --- accounts -------------------------------------------------------------------------------------------------------

User* MemoryStorage::user_by_email(const std::string& email) {
  const auto found = std::find_if(users_.begin(), users_.end(), [&](const User& user) { return user.email == email; });
  return found == users_.end() ? nullptr : &*found;
}

User MemoryStorage::make_user(const std::string& email, TimestampMs now) {
  users_.push_back({"user-" + std::to_string(++last_id_), email, users_.empty(), now});
  return users_.back();
}

StorageResult<Session> MemoryStorage::add_token(const NewToken& token) {
  if (tokens_.contains(token.token_hash)) return no(Kind::Conflict);
  const User* const known = user_by_email(token.email);
  const User user = known != nullptr ? *known : make_user(token.email, token.now);
  const std::string device = "device-" + std::to_string(++last_id_);
  devices_[device] = {user.id, {device, token.device_name, token.now}};
  tokens_[token.token_hash] = {user.id, device, token.now, token.expires};
  return Session{user.id, user.email, device, user.owner, token.expires};
}

void MemoryStorage::drop_device(const std::string& id) {
  devices_.erase(id);
  drop_if(tokens_, [&](const auto& entry) {
    const bool theirs = entry.second.device_id == id;
    epoch_ += theirs ? 1 : 0;
    return theirs;
  });
}

void MemoryStorage::drop_workspace(const std::string& id) {
  workspaces_.erase(id);
  ++epoch_;
  drop_if(documents_, [&](const auto& entry) { return entry.second.workspace == id; });
  drop_if(shares_, [&](const auto& entry) { return entry.second.workspace == id; });
  drop_if(uploads_, [&](const auto& entry) { return entry.second.workspace == id; });
  drop_if(workspace_blobs_, [&](const auto& entry) { return entry.first.first == id; });
}

void MemoryStorage::find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) {
  read(std::move(reply), [&]() -> StorageResult<Session> {
    const auto found = tokens_.find(token_hash);
    if (found == tokens_.end() || found->second.expires <= now) return no(Kind::NotFound);
    for (const User& user : users_) {
      if (user.id == found->second.user_id)
        return Session{user.id, user.email, found->second.device_id, user.owner, found->second.expires};
    }
    return no(Kind::NotFound);
  });
}

void MemoryStorage::create_token(NewToken token, Reply<Session> reply) {
  write(std::move(reply), [&] { return add_token(token); });
}

void MemoryStorage::touch_device(std::string device_id, TimestampMs now, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    if (const auto found = devices_.find(device_id); found != devices_.end())
      found->second.device.last_seen = std::max(found->second.device.last_seen, now);
    return {};
  });
}

void MemoryStorage::list_devices(std::string user_id, Reply<std::vector<Device>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<Device>> {
    std::vector<Device> devices;
    for (const auto& [id, stored] : devices_) {
      if (stored.user_id == user_id) devices.push_back(stored.device);
    }
    std::stable_sort(devices.begin(), devices.end(),
                     [](const Device& a, const Device& b) { return a.last_seen > b.last_seen; });
    return devices;
  });
}

void MemoryStorage::create_user(std::string email, TimestampMs now, Reply<User> reply) {
  write(std::move(reply), [&]() -> StorageResult<User> {
    if (user_by_email(email) != nullptr) return no(Kind::Conflict);
    return make_user(email, now);
  });
}

void MemoryStorage::find_user(std::string email, Reply<User> reply) {
  read(std::move(reply), [&]() -> StorageResult<User> {
    const User* const user = user_by_email(email);
    if (user == nullptr) return no(Kind::NotFound);
    return *user;
  });
}

void MemoryStorage::list_users(Reply<std::vector<User>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<User>> { return users_; });
}

void MemoryStorage::set_owner(std::string user_id, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto is_meant = [&](const User& user) { return user.id == user_id; };
    if (std::none_of(users_.begin(), users_.end(), is_meant)) return no(Kind::NotFound);
    for (User& user : users_) user.owner = is_meant(user);
    return {};
  });
}

void MemoryStorage::remove_user(std::string user_id, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    if (std::erase_if(users_, [&](const User& user) { return user.id == user_id; }) == 0) return no(Kind::NotFound);
    std::vector<std::string> gone;
    for (const auto& [id, stored] : devices_) {
      if (stored.user_id == user_id) gone.push_back(id);
    }
    for (const std::string& id : gone) drop_device(id);
    gone.clear();
    for (const auto& [id, stored] : workspaces_) {
      if (stored.user_id == user_id) gone.push_back(id);
    }
    for (const std::string& id : gone) drop_workspace(id);
    drop_if(blobs_, [&](const auto& entry) { return entry.first.user_id == user_id; });
    return {};
  });
}

void MemoryStorage::rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = devices_.find(device_id);
    if (found == devices_.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    found->second.device.name = name;
    return {};
  });
}

void MemoryStorage::remove_device(std::string user_id, std::string device_id, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = devices_.find(device_id);
    if (found == devices_.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    drop_device(device_id);
    return {};
  });
}

void MemoryStorage::list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<TokenEntry>> {
    std::vector<TokenEntry> entries;
    for (const auto& [hash, token] : tokens_) {
      if (!user_id.empty() && token.user_id != user_id) continue;
      const auto user =
          std::find_if(users_.begin(), users_.end(), [&](const User& one) { return one.id == token.user_id; });
      const Device& device = devices_.at(token.device_id).device;
      entries.push_back({hash, user->email, device.id, device.name, token.created, token.expires});
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const TokenEntry& a, const TokenEntry& b) { return a.created > b.created; });
    return entries;
  });
}

void MemoryStorage::remove_token(Sha256 token_hash, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tokens_.find(token_hash);
    if (found == tokens_.end()) return no(Kind::NotFound);
    const std::string device = found->second.device_id;
    tokens_.erase(found);
    ++epoch_;
    const bool more = std::any_of(tokens_.begin(), tokens_.end(),
                                  [&](const auto& entry) { return entry.second.device_id == device; });
    if (!more) devices_.erase(device);
    return {};
  });
}

// --- signing in -----------------------------------------------------------------------------------------------------

void MemoryStorage::create_sign_in(NewSignIn sign_in, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto lately = std::count_if(sign_ins_.begin(), sign_ins_.end(), [&](const auto& entry) {
      return entry.second.asked.email == sign_in.email && entry.second.asked.now > sign_in.now + DurationMs{-3600000};
    });
    if (sign_in.max_per_hour != 0 && lately >= sign_in.max_per_hour) return no(Kind::TooMany);
    if (!sign_in.new_users && user_by_email(sign_in.email) == nullptr) return no(Kind::NotFound);
    sign_ins_.emplace(sign_in.link_hash, StoredSignIn{sign_in});
    return {};
  });
}

StorageResult<SignedIn> MemoryStorage::redeem(const Redemption& redemption) {
  const TimestampMs now = redemption.token.now;
  StoredSignIn* open = nullptr;
  for (auto& [hash, one] : sign_ins_) {
    if (one.used || one.asked.expires <= now) continue;
    if (redemption.proof.link_hash) {
      if (*redemption.proof.link_hash == hash) open = &one;
    } else if (one.asked.email == redemption.proof.email && ++one.attempts <= kMaxCodeAttempts &&
               hash_code(one.asked.salt, redemption.proof.code) == one.asked.code_hash) {
      open = &one;
    }
  }
  if (open == nullptr) return no(Kind::NotFound);
  std::vector<Device> devices;
  if (const User* const user = user_by_email(open->asked.email); user != nullptr) {
    for (const auto& [id, stored] : devices_) {
      if (stored.user_id == user->id) devices.push_back(stored.device);
    }
  }
  const auto old = std::find_if(devices.begin(), devices.end(),
                                [&](const Device& device) { return device.id == redemption.replace_device; });
  if (!redemption.replace_device.empty() && old == devices.end()) return no(Kind::Conflict);
  if (redemption.replace_device.empty() && redemption.max_devices != 0 && devices.size() >= redemption.max_devices)
    return SignedIn{std::nullopt, devices};
  if (!redemption.replace_device.empty()) drop_device(redemption.replace_device);
  NewToken token = redemption.token;
  token.email = open->asked.email;
  auto session = add_token(token);
  if (!session) return std::unexpected(session.error());
  open->used = true;
  return SignedIn{std::move(*session), {}};
}

void MemoryStorage::redeem_sign_in(Redemption redemption, Reply<SignedIn> reply) {
  write(std::move(reply), [&] { return redeem(redemption); });
}

// --- shares and access ----------------------------------------------------------------------------------------------

void MemoryStorage::create_share(Share share, TimestampMs, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = workspaces_.find(share.workspace);
    if (found == workspaces_.end() || found->second.user_id != share.owner_id) return no(Kind::NotFound);
    shares_.emplace(share.code_hash, share);
    return {};
  });
}

void MemoryStorage::find_share(Sha256 code_hash, Reply<Share> reply) {
  read(std::move(reply), [&]() -> StorageResult<Share> {
    const auto found = shares_.find(code_hash);
    if (found == shares_.end()) return no(Kind::NotFound);
    return found->second;
  });
}

StorageResult<Share> MemoryStorage::share_of(const std::string& owner_id, const Sha256& code_hash) const {
  const auto found = shares_.find(code_hash);
  if (found == shares_.end() || found->second.owner_id != owner_id) return no(Kind::NotFound);
  return found->second;
}

void MemoryStorage::change_share(std::string owner_id, Sha256 code_hash, bool read_only, Reply<Share> reply) {
  write(std::move(reply), [&]() -> StorageResult<Share> {
    auto share = share_of(owner_id, code_hash);
    if (!share) return share;
    ++epoch_;
    shares_[code_hash].read_only = read_only;
    return shares_[code_hash];
  });
}

void MemoryStorage::remove_share(std::string owner_id, Sha256 code_hash, Reply<Share> reply) {
  write(std::move(reply), [&]() -> StorageResult<Share> {
    auto share = share_of(owner_id, code_hash);
    if (!share) return share;
    ++epoch_;
    shares_.erase(code_hash);
    return share;
  });
}

void MemoryStorage::access_epoch(Reply<uint64_t> reply) {
  read(std::move(reply), [&]() -> StorageResult<uint64_t> { return epoch_; });
}

void MemoryStorage::check_access(std::vector<AccessKey> keys, TimestampMs now, Reply<std::vector<AccessState>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<AccessState>> {
    std::vector<AccessState> states;
    for (const AccessKey& key : keys) {
      if (key.kind == AccessKey::Kind::Share) {
        const auto found = shares_.find(key.hash);
        states.push_back({found != shares_.end(), found != shares_.end() && found->second.read_only});
      } else {
        const auto found = tokens_.find(key.hash);
        states.push_back({found != tokens_.end() && found->second.expires > now, false});
      }
    }
    return states;
  });
}

void MemoryStorage::expire_access(TimestampMs now, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    drop_if(tokens_, [&](const auto& entry) {
      const bool over = entry.second.expires <= now;
      epoch_ += over ? 1 : 0;
      return over;
    });
    drop_if(sign_ins_, [&](const auto& entry) {
      return entry.second.asked.expires <= now && entry.second.asked.now <= now + DurationMs{-3600000};
    });
    return {};
  });
}

// --- workspaces -----------------------------------------------------------------------------------------------------

void MemoryStorage::list_workspaces(std::string user_id, Reply<std::vector<Workspace>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<Workspace>> {
    std::vector<std::pair<TimestampMs, Workspace>> theirs;
    for (const auto& [id, stored] : workspaces_) {
      if (stored.user_id == user_id) theirs.push_back({stored.created, {id, stored.name}});
    }
    std::stable_sort(theirs.begin(), theirs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Workspace> workspaces;
    for (auto& [created, workspace] : theirs) workspaces.push_back(std::move(workspace));
    return workspaces;
  });
}

void MemoryStorage::find_workspace(std::string user_id, std::string id, Reply<Workspace> reply) {
  read(std::move(reply), [&]() -> StorageResult<Workspace> {
    const auto found = workspaces_.find(id);
    if (found == workspaces_.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    return Workspace{id, found->second.name};
  });
}

void MemoryStorage::create_workspace(std::string user_id, Workspace workspace, TimestampMs now,
                                     Reply<Workspace> reply) {
  write(std::move(reply), [&]() -> StorageResult<Workspace> {
    for (const auto& [id, stored] : workspaces_) {
      if (id == workspace.id || (stored.user_id == user_id && stored.name == workspace.name)) return no(Kind::Conflict);
    }
    workspaces_[workspace.id] = {user_id, workspace.name, now};
    return workspace;
  });
}

void MemoryStorage::rename_workspace(std::string user_id, Workspace workspace, Reply<Workspace> reply) {
  write(std::move(reply), [&]() -> StorageResult<Workspace> {
    const auto found = workspaces_.find(workspace.id);
    if (found == workspaces_.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    for (const auto& [id, stored] : workspaces_) {
      if (id != workspace.id && stored.user_id == user_id && stored.name == workspace.name) return no(Kind::Conflict);
    }
    found->second.name = workspace.name;
    return workspace;
  });
}

void MemoryStorage::remove_workspace(std::string user_id, std::string id, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = workspaces_.find(id);
    if (found == workspaces_.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    drop_workspace(id);
    return {};
  });
}

// --- attachments ----------------------------------------------------------------------------------------------------

StorageResult<void> MemoryStorage::refer(const Upload& upload) {
  if (!workspaces_.contains(upload.workspace)) return no(Kind::NotFound);
  workspace_blobs_[{upload.workspace, upload.hash}] = {upload.hash, upload.size_bytes, upload.mime_type};
  return {};
}

void MemoryStorage::create_upload(Upload upload, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    if (!workspaces_.contains(upload.workspace)) return no(Kind::NotFound);
    uploads_[upload.id] = upload;
    return {};
  });
}

void MemoryStorage::resume_upload(Upload upload, TimestampMs now, Reply<Upload> reply) {
  read(std::move(reply), [&]() -> StorageResult<Upload> {
    const auto words = [](const Upload& one) {
      return std::tie(one.workspace, one.user_id, one.hash, one.size_bytes, one.part_size, one.attachment_path,
                      one.mime_type);
    };
    for (const auto& [id, one] : uploads_) {
      if (!one.completed && one.expires > now && words(one) == words(upload)) return one;
    }
    return no(Kind::NotFound);
  });
}

void MemoryStorage::find_upload(std::string workspace, std::string id, Reply<Upload> reply) {
  read(std::move(reply), [&]() -> StorageResult<Upload> {
    const auto found = uploads_.find(id);
    if (found == uploads_.end() || found->second.workspace != workspace) return no(Kind::NotFound);
    return found->second;
  });
}

void MemoryStorage::add_upload_part(std::string upload_id, uint32_t part, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = uploads_.find(upload_id);
    if (found == uploads_.end()) return no(Kind::NotFound);
    auto& parts = found->second.parts;
    const auto at = std::lower_bound(parts.begin(), parts.end(), part);
    if (at == parts.end() || *at != part) parts.insert(at, part);
    return {};
  });
}

void MemoryStorage::finish_upload(Upload upload, TimestampMs now, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    if (auto referred = refer(upload); !referred) return referred;
    blobs_.emplace(BlobKey{upload.user_id, upload.hash}, StoredBlob{upload.size_bytes, now});
    if (const auto found = uploads_.find(upload.id); found != uploads_.end()) found->second.completed = true;
    return {};
  });
}

void MemoryStorage::adopt_blob(Upload upload, TimestampMs, Reply<void> reply) {
  write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = blobs_.find({upload.user_id, upload.hash});
    if (found == blobs_.end() || found->second.size_bytes != upload.size_bytes) return no(Kind::NotFound);
    return refer(upload);
  });
}

void MemoryStorage::find_blob(std::string workspace, Sha256 hash, Reply<Blob> reply) {
  read(std::move(reply), [&]() -> StorageResult<Blob> {
    const auto found = workspace_blobs_.find({workspace, hash});
    if (found == workspace_blobs_.end()) return no(Kind::NotFound);
    return found->second;
  });
}

void MemoryStorage::storage_use(std::string user_id, Reply<StorageUse> reply) {
  read(std::move(reply), [&]() -> StorageResult<StorageUse> {
    StorageUse use;
    for (const auto& [key, blob] : blobs_) {
      if (key.user_id != user_id) continue;
      use.used_bytes += blob.size_bytes;
      ++use.blob_count;
    }
    for (const auto& [id, upload] : uploads_) {
      if (upload.user_id != user_id || upload.completed) continue;
      for (const uint32_t part : upload.parts) use.unfinished_bytes += part_size_of(upload, part);
    }
    return use;
  });
}

bool MemoryStorage::is_referred_to(const BlobKey& blob) const {
  return std::any_of(workspaces_.begin(), workspaces_.end(), [&](const auto& workspace) {
    return workspace.second.user_id == blob.user_id && workspace_blobs_.contains({workspace.first, blob.hash});
  });
}

void MemoryStorage::review_blobs(std::optional<BlobKey> after, uint32_t limit, TimestampMs before,
                                 Reply<BlobReview> reply) {
  read(std::move(reply), [&]() -> StorageResult<BlobReview> {
    BlobReview review;
    auto next = after ? blobs_.upper_bound(*after) : blobs_.begin();
    for (uint32_t i = 0; i < limit && next != blobs_.end(); ++i, ++next) {
      review.last = next->first;
      if (next->second.created < before && !is_referred_to(next->first)) review.unused.push_back(next->first);
    }
    return review;
  });
}

void MemoryStorage::forget_blob(BlobKey blob, Reply<bool> reply) {
  write(std::move(reply), [&]() -> StorageResult<bool> {
    if (!blobs_.contains(blob) || is_referred_to(blob)) return false;
    blobs_.erase(blob);
    return true;
  });
}

void MemoryStorage::expire_uploads(TimestampMs now, Reply<std::vector<Upload>> reply) {
  write(std::move(reply), [&]() -> StorageResult<std::vector<Upload>> {
    std::vector<Upload> expired;
    drop_if(uploads_, [&](const auto& entry) {
      if (entry.second.expires > now) return false;
      expired.push_back(entry.second);
      return true;
    });
    return expired;
  });
}

void MemoryStorage::unnamed_blobs(std::vector<BlobKey> blobs, Reply<std::vector<BlobKey>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<BlobKey>> {
    std::erase_if(blobs, [&](const BlobKey& blob) { return blobs_.contains(blob); });
    return blobs;
  });
}

void MemoryStorage::unnamed_uploads(std::vector<std::string> ids, Reply<std::vector<std::string>> reply) {
  read(std::move(reply), [&]() -> StorageResult<std::vector<std::string>> {
    std::erase_if(ids, [&](const std::string& id) { return uploads_.contains(id); });
    return ids;
  });
}

}  // namespace diaryx::server
