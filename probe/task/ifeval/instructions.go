package ifeval

// instructions are those of the published registry, by id.
var instructions = map[string]instruction{
	"keywords:existence":         {[]string{"keywords"}, keywordExistence},
	"keywords:frequency":         {[]string{"keyword", "frequency", "relation"}, keywordFrequency},
	"keywords:forbidden_words":   {[]string{"forbidden_words"}, forbiddenWords},
	"keywords:letter_frequency":  {[]string{"letter", "let_frequency", "let_relation"}, letterFrequency},
	"language:response_language": {[]string{"language"}, responseLanguage},

	"length_constraints:number_sentences":         {[]string{"num_sentences", "relation"}, numberSentences},
	"length_constraints:number_paragraphs":        {[]string{"num_paragraphs"}, numberParagraphs},
	"length_constraints:number_words":             {[]string{"num_words", "relation"}, numberWords},
	"length_constraints:nth_paragraph_first_word": {[]string{"num_paragraphs", "nth_paragraph", "first_word"}, firstWord},

	"detectable_content:number_placeholders":        {[]string{"num_placeholders"}, numberPlaceholders},
	"detectable_content:postscript":                 {[]string{"postscript_marker"}, postscript},
	"detectable_format:number_bullet_lists":         {[]string{"num_bullets"}, numberBullets},
	"detectable_format:constrained_response":        {nil, constrainedResponse},
	"detectable_format:number_highlighted_sections": {[]string{"num_highlights"}, numberHighlights},
	"detectable_format:multiple_sections":           {[]string{"section_spliter", "num_sections"}, multipleSections},
	"detectable_format:json_format":                 {nil, jsonFormat},
	"detectable_format:title":                       {nil, title},

	"combination:two_responses":          {nil, twoResponses},
	"combination:repeat_prompt":          {[]string{"prompt_to_repeat"}, repeatPrompt},
	"startend:end_checker":               {[]string{"end_phrase"}, endPhrase},
	"startend:quotation":                 {nil, quotation},
	"change_case:capital_word_frequency": {[]string{"capital_frequency", "capital_relation"}, capitalWords},
	"change_case:english_capital":        {nil, englishCapital},
	"change_case:english_lowercase":      {nil, englishLowercase},
	"punctuation:no_comma":               {nil, noComma},
}
