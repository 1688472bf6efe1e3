package labs

import (
	"regexp"
	"strings"
)

// measure is how a text reads.
type measure struct {
	words, sentences, syllables int
}

// add counts a text without markup, as [plain] gives it. A piece of code, a number and
// a short form such as VSZ are one word of one syllable each.
func (m *measure) add(words string) {
	for _, s := range sentences(words) {
		fields := strings.Fields(s)
		m.sentences++
		m.words += len(fields)
		for _, f := range fields {
			m.syllables += syllables(f)
		}
	}
}

// mean is in words a sentence.
func (m measure) mean() float64 { return float64(m.words) / float64(max(m.sentences, 1)) }

// grade is the one of Flesch and Kincaid: years of school in the United States.
func (m measure) grade() float64 {
	return 0.39*m.mean() + 11.8*float64(m.syllables)/float64(max(m.words, 1)) - 15.59
}

// sentences cuts a text; none is empty.
func sentences(words string) (all []string) {
	keep := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	at := 0
	for _, end := range sentenceEnd.FindAllStringIndex(words, -1) {
		keep(words[at:end[1]])
		at = end[1]
	}
	keep(words[at:])
	return all
}

var (
	vowels = regexp.MustCompile(`[aeiouy]+`)
	// Two vowels that are said apart, and the end of isn't and didn't.
	apart = regexp.MustCompile(`[aeiouy]ing$|[^tscgxl]i[aou]|io$|scie|quiet|[^aeqg]ua[^r]|[dr]ea$|inear|eo$|eo[mr]|^crea|^react|^hier|[sd]n't$`)
	// An e that is not heard: at the end, before s or d, and inside of a compound.
	silent = regexp.MustCompile(`[^aeiouyl]e$|[aeiouyl]le$|[gq]ue$|` +
		`[^aeiouytdlr]ed$|[aeiouyl]led$|[aeiouy]red$|` +
		`[^aeiouysxzcghl]es$|[aeiouyl]les$|[^sc]hes$|` +
		`^ever[yi]|^(?:some|else|time|there|here|where|name|file|page|base|code)[^aeiouyrsd]`)
)

// syllables are counted by groups of vowels: one for each, one more where two vowels are
// said apart, one less for an e that is not heard, and one at least. For English that is
// right in more than nine words of ten, and wrong by one in the others.
func syllables(word string) int {
	word = strings.Trim(word, ".,;:!?()[]\"*_“”’…")
	if strings.ToUpper(word) == word {
		return 1
	}
	total := 0
	for part := range strings.SplitSeq(strings.ToLower(strings.ReplaceAll(word, "’", "'")), "-") {
		part = strings.TrimSuffix(part, "'s")
		n := len(vowels.FindAllString(part, -1)) + len(apart.FindAllString(part, -1)) - len(silent.FindAllString(part, -1))
		total += max(n, 1)
	}
	return total
}
