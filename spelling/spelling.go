// Package spelling takes a word that is not known and gives the known one that was
// probably meant.
package spelling

// longest is how many bytes of a word are looked at: no key of ours is longer.
const longest = 64

// Nearest returns the word of known that takes the fewest edits to become word, the
// first of equals; "" when none is known.
func Nearest(word string, known []string) string {
	word = word[:min(len(word), longest)]
	best, least := "", 0
	for i, k := range known {
		if d := edits(word, k); i == 0 || d < least {
			best, least = k, d
		}
	}
	return best
}

// edits counts insertions, deletions and substitutions of bytes (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
