#!/usr/bin/env python3
"""Writes core/sync/src/unicode_tables.h from Python's Unicode database: canonical decompositions, combining classes and
simple case folding. Run it by hand when a newer Unicode is wanted; the output is checked in."""
import sys
import unicodedata as u

ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def decompositions():
    for c in ALL:
        text = u.decomposition(chr(c))
        if not text or text.startswith('<'):
            continue
        parts = [int(x, 16) for x in text.split()]
        second = parts[1] if len(parts) > 1 else 0
        composes = u.normalize('NFC', chr(c)) == chr(c)
        yield c, parts[0], second, composes


def classes():
    out = []
    for c in ALL:
        k = u.combining(chr(c))
        if not k:
            continue
        if out and out[-1][1] == c - 1 and out[-1][2] == k:
            out[-1][1] = c
        else:
            out.append([c, c, k])
    return out


def folds():
    out = []
    for c in ALL:
        f = chr(c).casefold()
        if len(f) != 1:
            f = chr(c).lower()
        if len(f) != 1 or f == chr(c):
            continue
        delta = ord(f) - c
        last = out[-1] if out else None
        if last and last[2] == delta and c - last[1] in (1, 2) and (last[1] == last[0] or c - last[1] == last[3]):
            last[3] = c - last[1]
            last[1] = c
        else:
            out.append([c, c, delta, 1])
    return out


def rows(items, form, per_line):
    lines = []
    items = [form(*i) for i in items]
    for at in range(0, len(items), per_line):
        lines.append('    ' + ' '.join(items[at:at + per_line]))
    return '\n'.join(lines)


d = list(decompositions())
narrow = [x for x in d if x[0] < 0x10000 and x[1] < 0x10000 and x[2] < 0x10000]
wide = [x for x in d if x not in narrow]
out = f'''// Made by tools/unicode/make_tables.py from Unicode {u.unidata_version}; not edited by hand.
// clang-format off
#pragma once

#include <cstdint>

namespace diaryx::sync::unicode {{

/// One step of a canonical decomposition; `second` is 0 for a singleton. Only where `composes` do the two parts join again.
struct Narrow {{ uint16_t code, first, second; bool composes; }};
struct Wide {{ uint32_t code, first, second; bool composes; }};
/// Combining class of a range.
struct ClassRange {{ uint32_t first, last; uint8_t value; }};
/// Simple case folding: every `step`-th code from `first` to `last` is `delta` away from its folded form.
struct FoldRange {{ uint32_t first, last; int32_t delta; uint8_t step; }};

inline constexpr Narrow kNarrow[] = {{
{rows(narrow, lambda c, a, b, k: f'{{{c:#x},{a:#x},{b:#x},{int(k)}}},', 8)}
}};
inline constexpr Wide kWide[] = {{
{rows(wide, lambda c, a, b, k: f'{{{c:#x},{a:#x},{b:#x},{int(k)}}},', 6)}
}};
inline constexpr ClassRange kClasses[] = {{
{rows(classes(), lambda a, b, k: f'{{{a:#x},{b:#x},{k}}},', 8)}
}};
inline constexpr FoldRange kFolds[] = {{
{rows(folds(), lambda a, b, k, s: f'{{{a:#x},{b:#x},{k},{s}}},', 8)}
}};

}}  // namespace diaryx::sync::unicode
'''
open('core/sync/src/unicode_tables.h' if len(sys.argv) < 2 else sys.argv[1], 'w').write(out)
