"""Write langdetect.jsonl: what langdetect 1.0.9 makes of texts written for this.

usage: peers.py > langdetect.jsonl     (pip install langdetect==1.0.9)

A line: text, clean (the text as features are read from it), grams (the features, in order, a bar
between two; of long texts their number alone), shares (mean probabilities over 300 seeds of seven trials each, those of 0.005 and more) and
detected (how many of the 300 calls answer each language; null where the call raises).
"""
import json
from collections import Counter

import langdetect.detector_factory as factory
from langdetect import DetectorFactory, LangDetectException

LONG = {
    "en": "The garden behind the house had been left alone for years, and nobody knew what was still growing there.",
    "de": "Der Garten hinter dem Haus war jahrelang sich selbst überlassen, und niemand wusste, was dort noch wuchs.",
    "fr": "Le jardin derrière la maison était abandonné depuis des années, et personne ne savait ce qui y poussait encore.",
    "es": "El jardín detrás de la casa llevaba años abandonado, y nadie sabía qué seguía creciendo allí.",
    "it": "Il giardino dietro la casa era stato abbandonato per anni, e nessuno sapeva che cosa vi crescesse ancora.",
    "pt": "O jardim atrás da casa estava abandonado havia anos, e ninguém sabia o que ainda crescia ali.",
    "nl": "De tuin achter het huis was jarenlang verwaarloosd, en niemand wist wat daar nog groeide.",
    "fi": "Talon takana oleva puutarha oli ollut vuosia hoitamatta, eikä kukaan tiennyt, mitä siellä vielä kasvoi.",
    "pl": "Ogród za domem był od lat zaniedbany i nikt nie wiedział, co tam jeszcze rośnie.",
    "ro": "Grădina din spatele casei fusese părăsită de ani de zile și nimeni nu știa ce mai creștea acolo.",
    "vi": "Khu vườn phía sau ngôi nhà đã bị bỏ hoang nhiều năm và không ai biết còn gì mọc ở đó.",
    "tr": "Evin arkasındaki bahçe yıllardır bakımsızdı ve orada hâlâ ne yetiştiğini kimse bilmiyordu.",
    "ru": "Сад за домом много лет стоял заброшенным, и никто не знал, что там ещё растёт.",
    "uk": "Сад за будинком роками стояв занедбаний, і ніхто не знав, що там ще росте.",
    "el": "Ο κήπος πίσω από το σπίτι ήταν για χρόνια εγκαταλειμμένος και κανείς δεν ήξερε τι φύτρωνε ακόμη εκεί.",
    "ar": "ظلت الحديقة خلف المنزل مهجورة لسنوات ولم يكن أحد يعرف ما الذي لا يزال ينمو فيها.",
    "fa": "باغ پشت خانه سال‌ها رها شده بود و هیچ‌کس نمی‌دانست چه چیزی هنوز در آن می‌روید.",
    "he": "הגינה מאחורי הבית הייתה עזובה במשך שנים, ואיש לא ידע מה עוד גדל שם.",
    "hi": "घर के पीछे का बगीचा कई सालों से उजड़ा पड़ा था और कोई नहीं जानता था कि वहाँ अब भी क्या उग रहा है।",
    "ja": "家の裏の庭は何年も放っておかれ、そこにまだ何が生えているのか誰も知らなかった。",
    "ko": "집 뒤의 정원은 몇 년 동안 버려져 있었고 그곳에 무엇이 아직 자라는지 아무도 몰랐다.",
    "zh-cn": "房子后面的花园已经荒废多年，没有人知道那里还长着什么。",
    "th": "สวนหลังบ้านถูกทิ้งร้างมานานหลายปี และไม่มีใครรู้ว่ายังมีอะไรขึ้นอยู่ที่นั่น",
    "ta": "வீட்டின் பின்னால் இருந்த தோட்டம் பல ஆண்டுகளாக கைவிடப்பட்டிருந்தது.",
    "sw": "Bustani nyuma ya nyumba ilikuwa imeachwa kwa miaka mingi, na hakuna aliyejua nini bado kinaota humo.",
}
SHORT = [
    "a", "Yes.", "No, thanks.", "OK", "Hola", "Bonjour !", "Sure! Here is a list:", "Title: My Trip", "Le chat", "die Katze", "Casa",
    "An apple", "NOT A WORD IN SMALL LETTERS", "A B C D", "iPhone and eBay", "McDonald", "ΑΒΓ", "Мир", "tak", "ja", "nie", "si",
    "Hello, monde", "Guten Tag, my friend", "12 apples", "été", "Ⅷ Ⓐ ⓐ", "x", "qq", "zzz zzz",
]
ODD = [
    "", "   ", "12345", "!?", "日", "ABC", "\u00a0\u00ab\u00bb",
    "See https://example.org/a?b=c&d and write to some.one-else@mail.example.org today.",
    "http:// is no address, nor is a@b, nor @c.d; a@b@c.de is half of one.",
    "x" * 70 + "@example.org", "a@" + "b" * 260 + "." + "c" * 260 + "!", "https://" + "a" * 2080 + " end",
    "Vie\u0302\u0323t Nam tie\u0302\u0301ng A\u0300 y\u0309 o\u0303", "\u0219i \u021bar\u0103 \u015fi \u0163ar\u0103",
    "Москва and London и Париж слова много кириллицы здесь", "English words with ещё", "два  слова   с пробелами",
    "ひらがな カタカナ 漢字 ㄅㄆ", "한글 と かな", "فارسی یک یاء", "WoRD WORd wORD WORDs Ab aB", "İstanbul ıI", "ǅ ǆ Ǆ", "a\tb\nc\r\nd",
    "word " * 2100 + "слово",
]

factory.init_factory()


def view(text):
    detector = factory._factory.create()
    detector.append(text)
    detector.cleaning_text()
    grams = detector._extract_ngrams()
    record = {"text": text, "clean": detector.text, "count": len(grams)}
    if len(text) > 500:  # long ones are for the cleaning alone
        return record
    record["grams"] = "|".join(grams)
    shares, detected = Counter(), Counter()
    for seed in range(300):
        DetectorFactory.seed = seed
        detector = factory._factory.create()
        detector.append(text)
        try:
            detected[detector.detect()] += 1
        except LangDetectException:
            return record | {"detected": None}
        for name, p in zip(detector.langlist, detector.langprob):
            shares[name] += p / 300
    return record | {
        "shares": {name: round(p, 4) for name, p in sorted(shares.items()) if p >= 0.005},
        "detected": dict(sorted(detected.items())),
    }


for text in list(LONG.values()) + SHORT + ODD:
    print(json.dumps(view(text), ensure_ascii=False))
