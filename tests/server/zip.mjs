// Zip archives for tests, written and read without a library, so that they can lie.
import {gzipSync, inflateRawSync} from 'node:zlib';

/// entries: [path, bytes or text, the size that it says it has unpacked].
export function zipOf(entries) {
  const [files, directory] = [[], []];
  let at = 0;
  for (const [path, content, said] of entries) {
    const [name, bytes] = [Buffer.from(path), Buffer.from(content)];
    const gzip = gzipSync(bytes, {level: 1});
    const packed = gzip.subarray(10, -8);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);  // names are UTF-8
    common.writeUInt16LE(8, 4);
    gzip.copy(common, 10, gzip.length - 8, gzip.length - 4);  // the CRC
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(said ?? bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, name);
    const file = [Buffer.from('PK\x03\x04', 'latin1'), common, name, packed];
    files.push(...file);
    at += file.reduce((sum, part) => sum + part.length, 0);
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...files, listed, end]);
}

/// {path: bytes}
export function filesIn(zip) {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const files = {};
  for (let at = zip.readUInt32LE(end + 16), left = zip.readUInt16LE(end + 10); left > 0; --left) {
    const [method, packed, name, extra, comment, file] =
      [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42)];
    const from = file + 30 + zip.readUInt16LE(file + 26) + zip.readUInt16LE(file + 28);
    const bytes = zip.subarray(from, from + packed);
    files[zip.subarray(at + 46, at + 46 + name).toString()] = method === 8 ? inflateRawSync(bytes) : Buffer.from(bytes);
    at += 46 + name + extra + comment;
  }
  return files;
}
