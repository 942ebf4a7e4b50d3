"""Write nltk.jsonl: the sentences and words that NLTK 3.10.4 finds in texts written for this.

usage: NLTK_DATA=FOLDER peers.py > nltk.jsonl     (pip install nltk==3.10.4; punkt_tab in FOLDER)

A line: [text, sentences, words]. The texts are some sentences as they are, and 700 random rows of
parts that are hard to cut.
"""
import json
import random

from nltk.tokenize import sent_tokenize, word_tokenize

TEXTS = [
    "", " ", ".", "...", "Hello", "Hello.", "Hello. ", "No end here\n\nNor here", "One. Two. Three.",
    "Dr. Adams saw Mrs. Bell at 3 p.m. on Tuesday. They left.", "We flew to the U.S. in May. It rained. The U.K. was dry.",
    "Bring fruit, e.g. pears. Others, i.e. nuts, are fine etc. Thanks.", "A. B. Carter wrote it. C. D. did not.",
    "It costs $3.50. Version 2.0.1 is out. No. 5 is alive.", "1. First\n2. Second\n3. Third", "Wait... what? No!! Really?! Yes.",
    '"Is it you?" she asked. "Yes." He smiled.', "“Is it you?” she asked. “Yes.” He smiled. ‘No.’ «Si.» Fin.", "(See the note.) Then go on. [End.] {Last.} Done",
    "He said: go. and then went. lower case follows. 3 more.", "Prof. Lee vs. Gen. Hu, Fig. 3. St. Paul is a city. Jan. 5 was cold.",
    "Inc. and Co. are short. Acme Inc. Then more. Acme Co. grew.", "Yes ! No ? Maybe .", "a.b.c. D.E.F. g", "The Ph.D. came. M.A. She won.",
    "これは文です。これも文です。", "Ends with a dash.--Then more. Ends.-- more", "He left.) She stayed.\" They came.'] Done.", "x . . . y . . . . Z",
    "Mr.\nSmith came.\nHe sat.", "A line.\n\n  Another.\t\tThird.\r\nFourth.", "Don't stop. I'll go; can't you? It's 5 o'clock. 'Tis late. 'Twas fine.",
    "CANNOT gonna wanna go, gimme gotta lemme d'ye more'n that.", "The dogs' bowl. James's hat. THEY'LL WE'RE I'VE ISN'T", "@home #tag 50% A&B $5 http://x.org a@b.org",
    "one,two:three;four 1,000 10:30 a,b", "--dash -- em—dash – en", "``quoted'' ''odd`` `single`", "*bold* **strong** <b>tag</b> [x](y)", "Q: A?B!C...D",
]
PARTS = [
    "Dr.", "Mr.", "U.S.", "e.g.", "i.e.", "etc.", "J.", "K.", "Ph.D.", "a.m.", "p.m.", "...", "..", ". . .", "!", "?", "!!", "?!", '."', ".)", ".”", ".’",
    '"', "“", "”", "‘", "’", "'", "''", "``", "(", ")", "[", "]", "{", "}", "<", ">", "--", "—", "-", "1.", "2.5", "3,000", "$5", "%", "#", "@", "*", "**",
    "**Bold**", "don't", "I'll", "DON'T", "I'M", "'tis", "'Twas", "cannot", "CANNOT", "gonna", "wanna", "gimme", "d'ye", "more'n", "lemme", "gotta",
    "The", "the", "It", "it", "He", "said", "Inc.", "Co.", "No.", "no.", "Jan.", "St.", "x", "X", "é", "É.", "ſ", "ß.", "日本。", "Ⅷ", "Ⓐ", "ABC", "a.b.c.",
    ",", ";", ":", ":)", ";)", "a,b", "1,2", "http://x.com", "U.K", "«", "»", "„", "\n", "\n\n", " ", "  ", "\t", "\u00a0", "\x1c", "\x85", "\u200d",
    "e\u0301.", "_.", "&", ".", ".5", "-5.", "5.-", "Σ.", "İ.", "3-e.g.", "x-mr.", "Mr.-", "a.’b", ".»", "?”--",
]
draw = random.Random(7)
for _ in range(700):
    TEXTS.append("".join(draw.choice(PARTS) + draw.choice(["", " ", " ", " ", "\n"]) for _ in range(draw.randrange(1, 12))))
for text in TEXTS:
    print(json.dumps([text, sent_tokenize(text), word_tokenize(text)], ensure_ascii=False, separators=(",", ":")))
