#!/usr/bin/env python3
"""Trains and judges data/score/likeness.model: how likely a mailbox exists where SMTP alone cannot tell.

    tools/train_score.py train      writes data/score/likeness.model and tests/verify/likeness_vectors.txt
    tools/train_score.py judge      prints the tables of docs/score.md (held-out languages and generators)
    tools/train_score.py chart FILE writes the calibration curve as SVG

Needs nothing but Python. Seeded: the same data gives the same file, byte for byte. What the labels are, and what they
are not, stands in docs/score.md. The features here are the reference of src/verify/likeness.c; both are held together
by the vectors.
SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import math
import random
import re
import sys
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ROOT / "data" / "names" / "names-by-locale.tsv"
ROLES = ROOT / "data" / "lists" / "roles.txt"
MODEL = ROOT / "data" / "score" / "likeness.model"
VECTORS = ROOT / "tests" / "verify" / "likeness_vectors.txt"
DATE = "2026-11-22"
SEED = 20261122
TRAIN_COUNT = 16000
JUDGE_COUNT = 12000
RIDGE = 1.0

# Whole locales that training never sees; a name that also stands in a training locale is no test either.
HELD_OUT = {"fi", "hu", "tr", "vi", "pl", "pt_BR", "pt_PT", "id_ID", "yo_NG", "zu_ZA", "ko", "el", "lv", "en_IN"}

# ---- letters -----------------------------------------------------------------------------------------------------

LATIN = {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ə": "e", "ŋ": "ng"}
CYRILLIC = dict(zip("абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґђјљњћџѓќѕў", (
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g dj j lj nj c dz gj kj dz u"
).split()))
GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψως", (
    "a v g d e z i th i k l m n x o p r s t y f ch ps o s").split()))
GEORGIAN = dict(zip("აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ", (
    "a b g d e v z t i k l m n o p zh r s t u p k gh q sh ch ts dz ts ch kh j h").split()))
MAPPED = {**LATIN, **CYRILLIC, **GREEK, **GEORGIAN}
HANGUL_FIRST = "g kk n d tt r m b pp s ss _ j jj ch k t p h".split()
HANGUL_VOWEL = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
HANGUL_LAST = "_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()


def romanise(name):
    """Lower-case ASCII letters, or None where the script is not known here."""
    out = []
    for char in unicodedata.normalize("NFC", name.lower()):
        code = ord(char) - 0xAC00
        if 0 <= code < 11172:
            out += [HANGUL_FIRST[code // 588], HANGUL_VOWEL[code % 588 // 28], HANGUL_LAST[code % 28]]
        elif char in MAPPED:
            out.append(MAPPED[char])
        else:
            plain = unicodedata.normalize("NFKD", char)
            for part in plain:
                if unicodedata.combining(part):
                    continue
                part = MAPPED.get(part, part)
                if part in " '’-.`":
                    out.append("-")
                elif re.fullmatch("[a-z]+", part):
                    out.append(part)
                else:
                    return None
    words = [w for w in "".join(out).replace("_", "").split("-") if w]
    return words or None


def read_names():
    """locale -> (first names, last names), romanised words of two letters or more."""
    locales = {}
    for line in NAMES.read_text(encoding="utf-8").splitlines():
        locale, kind, name = line.split("\t")
        words = romanise(name)
        if words is None or len("".join(words)) < 2:
            continue
        firsts, lasts = locales.setdefault(locale, (set(), set()))
        (firsts if kind == "first_name" else lasts).add(words[0] if kind == "first_name" else "".join(words))
    return {k: (sorted(f), sorted(l)) for k, (f, l) in sorted(locales.items()) if len(f) >= 20 and len(l) >= 20}


FOLDS = 3


def fold_of(locale):
    """Languages of one fold are weighed by letters learned from the others, as those that are met later will be."""
    return hashlib.sha256(locale.encode()).digest()[0] % FOLDS


# ---- the surprise of letters ---------------------------------------------------------------------------------------

BOUND = 0  # before and after a word
SURPRISE_MAX = 93  # tenths of a nat; one printable character each


def letter_codes(word):
    return [ord(c) - 96 for c in word]


def surprise_table(words):
    three, two, one = {}, {}, {}
    for word in words:
        a = b = BOUND
        for c in letter_codes(word) + [BOUND]:
            three[a, b, c] = three.get((a, b, c), 0) + 1
            two[b, c] = two.get((b, c), 0) + 1
            one[c] = one.get(c, 0) + 1
            a, b = b, c
    total = sum(one.values())
    pair_sum = [sum(two.get((b, c), 0) for c in range(27)) for b in range(27)]
    table = []
    for a in range(27):
        for b in range(27):
            row_sum = sum(three.get((a, b, c), 0) for c in range(27))
            for c in range(27):
                p1 = (one.get(c, 0) + 1) / (total + 27)
                p2 = (two.get((b, c), 0) + 10 * p1) / (pair_sum[b] + 10)
                p3 = (three.get((a, b, c), 0) + 5 * p2) / (row_sum + 5)
                table.append(min(SURPRISE_MAX, int(-math.log(p3) * 10 + 0.5)))
    return table


# ---- features: the reference of src/verify/likeness.c --------------------------------------------------------------

LOCAL_MAX = 64
INITIAL_COST = 33   # ln 26, in tenths of a nat
INITIAL_MARGIN = 15  # so much less surprising it must be as an initial and a word
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm")
PATTERNS = ("word", "initial_word", "dotted", "underscored", "hyphened", "initial", "numbered", "other")
PATTERN_WEIGHT = 2.0  # of the usual shares, in known addresses
PATTERN_FIT_MAX = 3.0
FEATURES = (
    "surprise", "surprise_high", "surprise_worst", "consonants", "letters_few",
    "digits", "digits_tail", "digit_changes", "hex", "odd_bytes",
    "keys", "repeats",
    "long", "initial_word", "dotted", "underscored", "hyphened", "initial", "other",
    "role", "pattern",
)
VOWELS = "aeiouy"


def split_runs(text):
    """(kind, text) of letters 'a', digits '0', separators '.', and everything else '?'."""
    runs = []
    for c in text:
        kind = "a" if "a" <= c <= "z" else "0" if "0" <= c <= "9" else "." if c in "._-" else "?"
        if runs and runs[-1][0] == kind:
            runs[-1][1] += c
        else:
            runs.append([kind, c])
    return runs


def word_surprise(table, word):
    """In tenths of a nat, and the highest one of them."""
    a = b = BOUND
    total = worst = 0
    for c in letter_codes(word) + [BOUND]:
        s = table[(a * 27 + b) * 27 + c]
        total += s
        worst = max(worst, s)
        a, b = b, c
    return total, worst


def read_word(table, word):
    """(surprise, worst, steps, is it an initial and a word)"""
    plain, worst = word_surprise(table, word)
    if len(word) >= 4:
        rest, rest_worst = word_surprise(table, word[1:])
        if INITIAL_COST + rest + INITIAL_MARGIN < plain:
            return INITIAL_COST + rest, rest_worst, len(word) + 1, True
    return plain, worst, len(word) + 1, False


def pattern_of(runs, is_initial_word):
    kinds = "".join(kind for kind, _ in runs)
    words = [text for kind, text in runs if kind == "a"]
    marks = "".join(text for kind, text in runs if kind == ".")
    if not words or "?" in kinds:
        return "other"
    if kinds.endswith("0"):
        tail = runs[-1][1]
        return "numbered" if kinds.count("0") == 1 and len(tail) <= 4 else "other"
    if "0" in kinds:
        return "other"
    if kinds == "a":
        return "initial_word" if is_initial_word else "word"
    if not re.fullmatch(r"a(\.a)+", kinds) or len(marks) != kinds.count(".") or len(words) > 4:
        return "other"
    if any(len(w) == 1 for w in words):
        return "initial"
    if len(set(marks)) != 1:
        return "other"
    return {".": "dotted", "_": "underscored", "-": "hyphened"}[marks[0]]


def longest_keys(text):
    """The longest walk along a row of keys, in either direction."""
    best = 0
    for row in ROWS:
        length, step = 0, 0
        last = -9
        for c in text:
            at = row.find(c)
            move = at - last
            if at >= 0 and last >= 0 and abs(move) == 1 and (step == 0 or move == step):
                length, step = length + 1, move
            elif at >= 0 and last >= 0 and abs(move) == 1:
                length, step = 2, move
            else:
                length, step = (1 if at >= 0 else 0), 0
            last = at if at >= 0 else -9
            best = max(best, length)
    return best


def longest(text, is_in):
    best = run = 0
    for c in text:
        run = run + 1 if is_in(c) else 0
        best = max(best, run)
    return best


def longest_repeat(text):
    best = run = 0
    last = ""
    for c in text:
        run = run + 1 if c == last else 1
        last = c
        best = max(best, run)
    return best


def tidy(local):
    text = "".join(c.lower() if "A" <= c <= "Z" else c for c in local[:LOCAL_MAX])
    plus = text.find("+")
    return text[:plus] if plus > 0 else text


def look(table, local):
    """Everything about the local part alone: (features, pattern)."""
    text = tidy(local)
    runs = split_runs(text)
    words = [t for k, t in runs if k == "a"]
    letters = sum(len(w) for w in words)
    digits = sum(len(t) for k, t in runs if k == "0")
    odd = sum(len(t) for k, t in runs if k == "?")
    total = worst = steps = 0
    is_initial_word = False
    for word in words:
        if len(word) >= 2:
            s, w, n, initial = read_word(table, word)
            total, worst, steps = total + s, max(worst, w), steps + n
            is_initial_word = is_initial_word or initial
    pattern = pattern_of(runs, is_initial_word)
    mean = total / steps / 10.0 if steps else 0.0
    length = max(1, len(text))
    changes = sum(1 for (a, _), (b, _) in zip(runs, runs[1:]) if {a, b} == {"a", "0"})
    has_tail = pattern == "numbered"
    is_hex = len(text) >= 8 and all(c in "0123456789abcdef-" for c in text) and digits >= 2 and letters >= 1
    keys = longest_keys(text)
    repeat = longest_repeat(text)
    f = dict.fromkeys(FEATURES, 0.0)
    f["surprise"] = mean
    f["surprise_high"] = max(0.0, mean - 2.8)
    f["surprise_worst"] = max(0.0, worst / 10.0 - 5.0)
    f["consonants"] = float(max(0, longest(text, lambda c: "a" <= c <= "z" and c not in VOWELS) - 3))
    f["letters_few"] = 1.0 if letters < 3 else 0.0
    f["digits"] = digits / length
    f["digits_tail"] = 1.0 if has_tail else 0.0
    f["digit_changes"] = float(min(8, max(0, changes - 1)))
    f["hex"] = 1.0 if is_hex else 0.0
    f["odd_bytes"] = odd / length
    f["keys"] = keys / length if keys >= 4 else 0.0
    f["repeats"] = repeat / length if repeat >= 3 else 0.0
    f["long"] = max(0.0, (len(text) - 16) / 8.0)
    if pattern in FEATURES:
        f[pattern] = 1.0
    return f, pattern


def pattern_fit(shares, known, pattern):
    """known: how many known addresses of the domain have each pattern."""
    count = sum(known.values())
    share = shares[pattern]
    if count == 0:
        return 0.0
    fit = math.log((known.get(pattern, 0) + PATTERN_WEIGHT * share) / (count + PATTERN_WEIGHT) / share)
    return min(PATTERN_FIT_MAX, max(-PATTERN_FIT_MAX, fit))


def features(model, sample):
    f, pattern = look(model["surprise"], sample["local"])
    f["role"] = 1.0 if sample["is_role"] else 0.0
    if sample["is_role"]:  # a word of an organisation is not judged as a name
        for name in ("surprise", "surprise_high", "surprise_worst", "consonants", "letters_few"):
            f[name] = model["means"][name]
    f["pattern"] = 0.0 if sample["is_role"] else pattern_fit(model["shares"], sample["known"], pattern)
    return [f[name] for name in FEATURES]


# ---- samples -------------------------------------------------------------------------------------------------------

SHAPES = {  # how organisations make addresses of names, by share; an assumption, see docs/score.md
    "first.last": 34, "flast": 17, "first": 16, "firstlast": 7, "f.last": 7, "first_last": 4, "last": 4,
    "first-last": 2, "last.first": 3, "firstl": 3, "first99": 3, "fl": 2,
}
COMMON_ROLES = ("info contact sales support admin office hello mail jobs hr press media marketing billing accounts "
                "service team kontakt webmaster postmaster abuse help orders booking reservations careers "
                "enquiries reception accounting finance").split()
WORDS = ("apple river stone cloud silver window garden market paper yellow winter summer bridge music dragon shadow "
         "thunder orange purple forest mountain ocean planet rocket ticket monkey tiger flower candle mirror pocket "
         "castle butter cookie banana pepper sugar coffee coupon bonus prize lucky happy super magic ninja gamer "
         "player master killer hunter login account user test demo sample nobody noname fake trash spam temp void "
         "email something whatever nothing none example dummy guest unknown random string").split()
WORDS_LATER = ("lemon harbor copper valley velvet engine hammer basket ladder carpet tunnel desert meadow canyon "
               "puzzle throne arrow falcon rabbit turtle wizard knight zombie pirate cactus marble crystal donkey").split()


def pick(rng, weighted):
    at = rng.random() * sum(weighted.values())
    for item, weight in weighted.items():
        at -= weight
        if at < 0:
            return item
    return item


def shape_name(rng, shape, first, last):
    return {
        "first.last": f"{first}.{last}", "flast": first[0] + last, "first": first, "firstlast": first + last,
        "f.last": f"{first[0]}.{last}", "first_last": f"{first}_{last}", "last": last,
        "first-last": f"{first}-{last}", "last.first": f"{last}.{first}", "firstl": first + last[0], "fl": first[0] + last[0],
        "first99": first + str(rng.choice((rng.randrange(1, 100), rng.randrange(1950, 2012)))),
    }[shape]


def random_of(rng, letters, low, high):
    return "".join(rng.choice(letters) for _ in range(rng.randint(low, high)))


LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


def walk(rng):
    row = rng.choice(ROWS[:4])
    at, step = rng.randrange(len(row) - 3), rng.choice((1, 1, -1))
    run = row[at:at + rng.randint(4, 8)]
    return run[::step] + rng.choice(("", "", str(rng.randrange(1000))))


def typo(rng, name):
    at = rng.randrange(len(name))
    kind = rng.randrange(4)
    if kind == 0 and len(name) > 4:
        return name[:at] + name[at + 1:]
    if kind == 1 and at + 1 < len(name):
        return name[:at] + name[at + 1] + name[at] + name[at + 2:]
    letter = rng.choice(LETTERS)
    return name[:at] + letter + name[at + (1 if kind == 2 else 0):]


GENERATORS = {
    "letters": lambda rng: random_of(rng, LETTERS, 5, 12),
    "one to three letters": lambda rng: random_of(rng, LETTERS, 1, 3),
    "letters and digits": lambda rng: random_of(rng, LETTERS + DIGITS, 6, 14),
    "hex": lambda rng: random_of(rng, "0123456789abcdef", 8, 32),
    "keys in a row": walk,
    "digits": lambda rng: random_of(rng, DIGITS, 3, 12),
    "word and digits": lambda rng: rng.choice(WORDS) + random_of(rng, DIGITS, 0, 6),
    "repeats": lambda rng: rng.choice(LETTERS) * rng.randint(3, 8),
    "letters with a dot": lambda rng: random_of(rng, LETTERS, 4, 9) + "." + random_of(rng, LETTERS, 4, 9),
}


def uuid(rng):
    text = random_of(rng, "0123456789abcdef", 32, 32)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def syllables(rng):
    return "".join(rng.choice("bcdfghjklmnpqrstvwxz") + rng.choice("aeiou") for _ in range(rng.randint(3, 5)))


GENERATORS_LATER = {
    "uuid": uuid,
    "base32": lambda rng: random_of(rng, "abcdefghijklmnopqrstuvwxyz234567", 10, 26),
    "timestamp": lambda rng: rng.choice(("", "u", "t", "user", "reg")) + str(rng.randrange(1_500_000_000, 1_800_000_000)),
    "consonants": lambda rng: random_of(rng, "bcdfghjklmnpqrstvwxz", 5, 10),
    "pronounceable": syllables,
    "two words": lambda rng: rng.choice(WORDS_LATER) + rng.choice(("", ".", "_", "-")) + rng.choice(WORDS_LATER),
    "keys by column": lambda rng: "".join(rng.sample(("qaz", "wsx", "edc", "rfv", "tgb", "yhn", "ujm"), rng.randint(2, 3))),
}


class Source:
    """Names of some locales, and generators of strings."""

    def __init__(self, rng, locales, generators, roles):
        self.rng, self.locales, self.generators, self.roles = rng, locales, generators, roles
        self.keys = sorted(locales)
        self.weights = {k: math.sqrt(min(len(locales[k][0]), len(locales[k][1]))) for k in self.keys}

    def person(self):
        firsts, lasts = self.locales[pick(self.rng, self.weights)]
        return self.rng.choice(firsts), self.rng.choice(lasts)

    def convention(self):
        """How a domain makes its addresses: mostly in one way."""
        main = pick(self.rng, SHAPES)
        return {shape: weight * 0.15 / sum(SHAPES.values()) + (0.85 if shape == main else 0.0) for shape, weight in SHAPES.items()}

    def sample(self, table):
        rng = self.rng
        convention = self.convention()
        known = {}
        for _ in range(rng.choice((0, 0, 0, 1, 2, 4, 8, 16))):
            _, pattern = look(table, shape_name(rng, pick(rng, convention), *self.person()))
            known[pattern] = known.get(pattern, 0) + 1
        is_live = rng.random() < 0.5
        kind, local = self.live(convention) if is_live else self.dead(convention)
        return {"local": local, "is_role": local in self.roles, "known": known, "label": int(is_live), "kind": kind}

    def live(self, convention):
        rng = self.rng
        at = rng.random()
        if at < 0.08:
            return "role", rng.choice(COMMON_ROLES)
        if at < 0.12:  # numbers of customers, machines, tokens: they have mailboxes, too
            return "odd", self.generators[rng.choice(sorted(self.generators))](rng)
        return "name", shape_name(rng, pick(rng, convention), *self.person())

    def dead(self, convention):
        """Of those that do not exist: guessed names, misspelt ones, roles nobody reads, and made-up strings."""
        rng = self.rng
        at = rng.random()
        name = shape_name(rng, pick(rng, convention if rng.random() < 0.5 else SHAPES), *self.person())
        if at < 0.16:
            return "guessed name", name
        if at < 0.26:
            return "misspelt name", typo(rng, name)
        if at < 0.32:
            return "role", rng.choice(sorted(self.roles))
        kind = rng.choice(sorted(self.generators))
        return kind, self.generators[kind](rng)


# ---- fitting -------------------------------------------------------------------------------------------------------

def solve(matrix, right):
    """Gauss, with pivots."""
    n = len(right)
    rows = [list(row) + [value] for row, value in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            if factor:
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[i])]
    out = [0.0] * n
    for i in reversed(range(n)):
        out[i] = (rows[i][n] - sum(rows[i][j] * out[j] for j in range(i + 1, n))) / rows[i][i]
    return out


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def fit(rows, labels, steps=7):
    """Logistic regression with a ridge, by Newton's method; the first weight is the constant."""
    n = len(rows[0]) + 1
    weights = [0.0] * n
    data = [[1.0] + row for row in rows]
    for _ in range(steps):
        gradient = [0.0] * n
        hessian = [[0.0] * n for _ in range(n)]
        for row, label in zip(data, labels):
            p = sigmoid(sum(w * x for w, x in zip(weights, row)))
            slope = p * (1 - p)
            present = [i for i in range(n) if row[i]]
            for i in present:
                gradient[i] += (label - p) * row[i]
                scaled = slope * row[i]
                line = hessian[i]
                for j in present:
                    line[j] += scaled * row[j]
        for i in range(n):
            if i > 0:
                gradient[i] -= RIDGE * weights[i]
            hessian[i][i] += RIDGE if i > 0 else 1e-9
        weights = [w + d for w, d in zip(weights, solve(hessian, gradient))]
    return weights


# These may speak against a mailbox, never for it: what a fit makes of chance and of one another, nobody would believe.
AGAINST = {"surprise", "surprise_high", "surprise_worst", "consonants", "letters_few", "digits", "digit_changes", "hex",
           "odd_bytes", "keys", "repeats", "long", "other"}


def fit_believably(rows, labels):
    """The constant and the weights, where the weights of AGAINST are 0 or below: one that would not be is left out."""
    kept = list(range(len(FEATURES)))
    while True:
        weights = fit([[row[i] for i in kept] for row in rows], labels)
        wrong = [(w, i) for w, i in zip(weights[1:], kept) if FEATURES[i] in AGAINST and w > 0]
        if not wrong:
            found = dict(zip(kept, weights[1:]))
            return [weights[0]] + [found.get(i, 0.0) for i in range(len(FEATURES))]
        kept.remove(max(wrong)[1])


def read_roles():
    return {line for line in ROLES.read_text().splitlines() if line and not line.startswith("#")}


def split_locales():
    everything = read_names()
    seen = {k: v for k, v in everything.items() if k not in HELD_OUT}
    known = {name for firsts, lasts in seen.values() for name in firsts + lasts}
    later = {}
    for key, (firsts, lasts) in everything.items():
        if key in HELD_OUT:
            own = [n for n in firsts if n not in known], [n for n in lasts if n not in known]
            if min(len(own[0]), len(own[1])) >= 10:
                later[key] = own
    return seen, later


def usual_shares(source, table):
    """How often each pattern is seen in names of all conventions."""
    counts = dict.fromkeys(PATTERNS, 20)
    for _ in range(4000):
        _, pattern = look(table, shape_name(source.rng, pick(source.rng, SHAPES), *source.person()))
        counts[pattern] += 1
    total = sum(counts.values())
    return {p: round(counts[p] / total, 6) for p in PATTERNS}


def letters_of(locales):
    return surprise_table(sorted({n for firsts, lasts in locales.values() for n in firsts + lasts}))


# Set by hand: no data here can teach them. See docs/score.md.
BY_HAND = {"earlier_accepted": 2.0, "earlier_refused": -2.0, "implicit_mx": -0.3}


def train():
    seen, _ = split_locales()
    rng = random.Random(SEED)
    roles = read_roles()
    model = {"surprise": letters_of(seen), "means": dict.fromkeys(FEATURES, 0.0)}
    model["shares"] = usual_shares(Source(rng, seen, GENERATORS, roles), model["surprise"])
    rows, labels, names = [], [], []
    for fold in range(FOLDS):
        table = letters_of({k: v for k, v in seen.items() if fold_of(k) != fold})
        source = Source(rng, {k: v for k, v in seen.items() if fold_of(k) == fold}, GENERATORS, roles)
        for _ in range(TRAIN_COUNT // FOLDS):
            sample = source.sample(table)
            rows.append((table, sample))
            labels.append(sample["label"])
            if sample["kind"] == "name":
                names.append(look(table, sample["local"])[0]["surprise"])
    model["means"]["surprise"] = round(sum(names) / len(names), 6)  # what a plain name of one word is weighed against
    data = [[x - model["means"][n] for x, n in zip(features({**model, "surprise": table}, sample), FEATURES)]
            for table, sample in rows]
    weights = [round(w, 6) for w in fit_believably(data, labels)]
    model["constant"] = weights[0]
    model["weights"] = dict(zip(FEATURES, weights[1:]))
    return model


def likelihood(model, sample):
    logit = model["constant"]
    for name, value in zip(FEATURES, features(model, sample)):
        logit += model["weights"][name] * (value - model["means"][name])
    return logit


def millionths(value):
    return str(int(round(value * 1_000_000)))


def content_hash(text):
    """slice_hash of src/base/slice.c."""
    mask = 0xFFFFFFFFFFFFFFFF
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & mask
    value ^= value >> 32
    value = value * 0xD6E8FEB86659FD93 & mask
    return value ^ (value >> 32)


def model_text(model):
    lines = ["# How likely a mailbox exists where SMTP alone cannot tell. Made by tools/train_score.py; docs/score.md.",
             "# SPDX-License-Identifier: Apache-2.0",
             "version 1", f"date {DATE}", "constant " + millionths(model["constant"])]
    lines += [f"weight {n} {millionths(model['weights'][n])} {millionths(model['means'][n])}" for n in FEATURES]
    lines += [f"set {name} {millionths(value)}" for name, value in BY_HAND.items()]
    lines += [f"pattern {p} {millionths(model['shares'][p])}" for p in PATTERNS]
    table = model["surprise"]
    lines += ["letters " + "".join(chr(33 + s) for s in table[i:i + 27]) for i in range(0, 27 ** 3, 27)]
    body = "\n".join(lines) + "\n"
    return body + f"hash {content_hash(body):016x}\n"


def read_model():
    model = {"weights": {}, "means": {}, "shares": {}, "surprise": []}
    for line in MODEL.read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word == "constant":
            model["constant"] = int(rest) / 1e6
        elif word == "weight":
            name, weight, mean = rest.split()
            model["weights"][name], model["means"][name] = int(weight) / 1e6, int(mean) / 1e6
        elif word == "pattern":
            name, share = rest.split()
            model["shares"][name] = int(share) / 1e6
        elif word == "letters":
            model["surprise"] += [ord(c) - 33 for c in rest]
    return model


VECTOR_LOCALS = ("maria.garcia info xk29fj3q asdfgh jsmith j.smith m ab 12345 a.b.c.d.e maria_garcia anna-lena "
                 "maria.garcia84 nguyen 0123456789abcdef qwertz.uiop aaaaaa Maria.Garcia+news x+y .. a..b "
                 "+tag zzyzx john john.q.public deadbeef-1234 bcdfghjkl support poiuytrewq mnbvcxz fedcba98 a1b2c3d4e5").split()


def write_vectors(model):
    rng = random.Random(SEED + 2)
    roles = read_roles()
    seen, later = split_locales()
    source = Source(rng, {**seen, **later}, {**GENERATORS, **GENERATORS_LATER}, roles)
    samples = [{"local": text, "is_role": text in roles, "known": known} for text in [*VECTOR_LOCALS, "a" * 80, "x" * 63 + ".y"]
               for known in ({}, {"dotted": 7, "initial_word": 1})]
    samples += [source.sample(model["surprise"]) for _ in range(300)]
    lines = ["# local part, is it a role, known addresses by pattern, the log odds; made by tools/train_score.py train"]
    for s in samples:
        local = s["local"].encode().decode("latin-1")  # bytes, as they travel
        s = {**s, "local": local}
        known = " ".join(str(s["known"].get(p, 0)) for p in PATTERNS)
        lines.append(f"{local}\t{int(s['is_role'])}\t{known}\t{likelihood(model, s)!r}")
    VECTORS.write_bytes(("\n".join(lines) + "\n").encode("latin-1"))


# ---- judging -------------------------------------------------------------------------------------------------------

def area(pairs):
    """Area under the ROC curve: how often a live one stands above a dead one."""
    ranked = sorted(pairs)
    at = 0
    rank_sum = 0.0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        rank_sum += sum((at + 1 + end) / 2 for i in range(at, end) if ranked[i][1])
        at = end
    live = sum(label for _, label in ranked)
    return (rank_sum - live * (live + 1) / 2) / (live * (len(ranked) - live))


def log_loss(pairs):
    return -sum(math.log(p if label else 1 - p) for p, label in pairs) / len(pairs)


def judged(model, locales, generators, seed):
    source = Source(random.Random(seed), locales, generators, read_roles())
    samples = [source.sample(model["surprise"]) for _ in range(JUDGE_COUNT)]
    return [(sigmoid(likelihood(model, s)), s["label"], s["kind"], bool(s["known"])) for s in samples]


def bins(pairs, count=10):
    """(lower bound, cases, mean said, share seen) of each tenth."""
    out = []
    for i in range(count):
        part = [(p, y) for p, y in pairs if i / count <= p < (i + 1) / count or (p == 1 and i == count - 1)]
        if part:
            out.append((i / count, len(part), sum(p for p, _ in part) / len(part), sum(y for _, y in part) / len(part)))
    return out


def calibration_error(pairs):
    return sum(n * abs(said - seen) for _, n, said, seen in bins(pairs)) / len(pairs)


def all_sets(model):
    seen, later = split_locales()
    return (("seen languages, seen generators", judged(model, seen, GENERATORS, SEED + 3)),
            ("held-out languages, seen generators", judged(model, later, GENERATORS, SEED + 4)),
            ("seen languages, held-out generators", judged(model, seen, GENERATORS_LATER, SEED + 5)),
            ("held-out languages, held-out generators", judged(model, later, GENERATORS_LATER, SEED + 6)))


def judge(model):
    sets = all_sets(model)
    print("| set | cases | AUC | log-loss | calibration error |\n|---|---:|---:|---:|---:|")
    for name, rows in sets:
        pairs = [(p, y) for p, y, _, _ in rows]
        print(f"| {name} | {len(rows)} | {area(pairs):.3f} | {log_loss(pairs):.3f} | {calibration_error(pairs):.3f} |")
    last = sets[-1][1]
    for name, wanted in (("no known address of the domain", False), ("some known addresses of the domain", True)):
        pairs = [(p, y) for p, y, _, known in last if known == wanted]
        print(f"| both held out, {name} | {len(pairs)} | {area(pairs):.3f} | {log_loss(pairs):.3f} |"
              f" {calibration_error(pairs):.3f} |")
    print("\n| said | cases | mean said | seen alive |\n|---|---:|---:|---:|")
    for low, n, said, alive in bins([(p, y) for p, y, _, _ in last]):
        print(f"| {low:.1f} to {low + 0.1:.1f} | {n} | {said:.2f} | {alive:.2f} |")
    print("\n| kind (both held out) | alive | cases | mean said | AUC against the names |\n|---|---|---:|---:|---:|")
    names = [(p, 1) for p, y, kind, _ in last if kind == "name"]
    for kind, label in sorted({(kind, y) for _, y, kind, _ in last}, key=lambda k: (-k[1], k[0])):
        part = [p for p, y, k, _ in last if k == kind and y == label]
        versus = f"{area(names + [(p, 0) for p in part]):.3f}" if label == 0 else ""
        print(f"| {kind} | {'yes' if label else 'no'} | {len(part)} | {sum(part) / len(part):.2f} | {versus} |")


def chart(model, path):
    rows = all_sets(model)
    size, edge = 360, 48
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size + 2 * edge} {size + 2 * edge + 40}"'
           ' font-family="sans-serif" font-size="12">',
           '<title>Calibration of the likelihood</title>',
           f'<rect width="100%" height="100%" fill="#fff"/>',
           f'<path d="M{edge} {edge}v{size}h{size}" fill="none" stroke="#333"/>',
           f'<path d="M{edge} {edge + size}L{edge + size} {edge}" stroke="#999" stroke-dasharray="4 4"/>']
    for i in range(0, 11, 2):
        at = i / 10 * size
        out.append(f'<text x="{edge + at:.0f}" y="{edge + size + 16}" text-anchor="middle">{i / 10:.1f}</text>')
        out.append(f'<text x="{edge - 6}" y="{edge + size - at + 4:.0f}" text-anchor="end">{i / 10:.1f}</text>')
    out.append(f'<text x="{edge + size / 2:.0f}" y="{edge + size + 34}" text-anchor="middle">said</text>')
    out.append(f'<text x="{edge - 6}" y="{edge - 14}">seen alive</text>')
    for i, (name, part) in enumerate((rows[0], rows[3])):
        colour = ("#2266aa", "#cc5511")[i]
        points = [(edge + said * size, edge + size - alive * size)
                  for _, _, said, alive in bins([(p, y) for p, y, _, _ in part])]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        out.append(f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        out.append(f'<text x="{edge}" y="{edge + size + 54 + 16 * i}" fill="{colour}">{name}</text>')
    Path(path).write_text("\n".join(out) + "\n</svg>\n")


def main():
    words = sys.argv[1:]
    if words == ["train"]:
        MODEL.parent.mkdir(exist_ok=True)
        MODEL.write_text(model_text(train()))
        write_vectors(read_model())
        print(f"{MODEL.relative_to(ROOT)}: {MODEL.stat().st_size} bytes")
    elif words == ["judge"]:
        judge(read_model())
    elif len(words) == 2 and words[0] == "chart":
        chart(read_model(), words[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
