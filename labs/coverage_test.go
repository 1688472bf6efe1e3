package labs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A place in the right column of COVERAGE.md: a section by its two digits, then an anchor, a
// block or the words of a heading; or a question of the gauntlet; or a lab.
var placePattern = regexp.MustCompile(
	`\b(\d\d)\b|` + // section
		`#([a-z0-9-]+)|` + // anchor
		`\b(stepper|table|predict|recall|picture)s? ((?:` + "`[a-z0-9-]+`(?:, | and )?)+)" + `|` +
		`"([^"]+)"|` + // heading
		`\bgauntlet ` + "((?:`[a-z0-9-]+`(?:, | and )?)+)" + `|` +
		`\blabs? ` + "((?:`?[a-z0-9]+-[a-z0-9-]+(?:/[a-z0-9-]+)?`?(?:, | and )?)+)")

var (
	afterNumber = regexp.MustCompile(`^ (?:hook|#|stepper|table|picture|predict|recall)`)
	labInList   = regexp.MustCompile(`[a-z0-9]+-[a-z0-9-]+(?:/[a-z0-9-]+)?`)
	beforeTitle = regexp.MustCompile(`#[a-z0-9-]+,? $`)
)

var inBackticks = regexp.MustCompile("`([^`]+)`")

// sectionPlaces are what a line of the coverage list may name in a section.
func sectionPlaces(r *lintRun, s *Section) (anchors, titles, pictures []string) {
	anchors = slices.Clone(s.anchors)
	for _, h := range s.Headings {
		titles = append(titles, h.Title)
	}
	_, body, _ := frontMatter(r.text(s.file))
	kind := regexp.MustCompile(`(?m)^kind: *([a-z-]+)`)
	for _, p := range pieces(body) {
		if p.kind == pieceFence && p.info == "picture" {
			if found := kind.FindStringSubmatch(p.text); found != nil {
				pictures = append(pictures, found[1])
			}
		}
	}
	return anchors, titles, pictures
}

// TestCoverageListLeadsToPlacesThatExist: every row of COVERAGE.md names a place, and each
// place that it names is there.
func TestCoverageListLeadsToPlacesThatExist(t *testing.T) {
	library, _ := Load(Embedded())
	module, ok := library.Module("operating-systems")
	if !ok {
		t.Fatal("no module operating-systems")
	}
	r := &lintRun{fsys: Embedded()}
	rows, sections := 0, map[int]bool{}
	n := 0
	for line := range strings.Lines(r.text("operating-systems/COVERAGE.md")) {
		n++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) < 2 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[0]) == "in the source" {
			continue
		}
		rows++
		where := strings.Join(cells[1:], "|")
		bad := func(format string, a ...any) {
			t.Errorf("COVERAGE.md:%d: %s", n, fmt.Sprintf(format, a...))
		}
		var section *Section
		var anchors, titles, pictures []string
		named := 0
		for _, at := range placePattern.FindAllStringSubmatchIndex(where, -1) {
			p := make([]string, len(at)/2)
			for i := range p {
				if at[2*i] >= 0 {
					p[i] = where[at[2*i]:at[2*i+1]]
				}
			}
			// Other numbers and quoted words are no places.
			if p[1] != "" && !afterNumber.MatchString(where[at[1]:]) || p[5] != "" && !beforeTitle.MatchString(where[:at[0]]) {
				continue
			}
			number, anchor, block, blocks, title, questions, labs := p[1], p[2], p[3], p[4], p[5], p[6], p[7]
			inSection := anchor != "" || block != "" || title != ""
			if inSection && section == nil {
				bad("%q comes before the number of its section", p[0])
				break
			}
			named++
			switch {
			case number != "":
				i := slices.IndexFunc(module.Sections, func(s *Section) bool { return fmt.Sprintf("%02d", s.Number) == number })
				if i < 0 {
					bad("there is no section %s", number)
					section = nil
					break
				}
				section = module.Sections[i]
				sections[section.Number] = true
				anchors, titles, pictures = sectionPlaces(r, section)
			case anchor != "":
				if !slices.Contains(anchors, anchor) {
					bad("section %s has no #%s", section.ID, anchor)
				}
			case block != "":
				for _, id := range inBackticks.FindAllStringSubmatch(blocks, -1) {
					in, want := anchors, id[1]
					switch block {
					case "picture":
						in = pictures
					case "table", "predict", "recall":
						want = block + "-" + want
					}
					if !slices.Contains(in, want) {
						bad("section %s has no %s %s", section.ID, block, id[1])
					}
				}
			case title != "":
				if !slices.Contains(titles, title) {
					bad("section %s has no heading %q; it has %q", section.ID, title, titles)
				}
			case questions != "":
				for _, id := range inBackticks.FindAllStringSubmatch(questions, -1) {
					if _, ok := module.Question(id[1]); !ok {
						bad("the gauntlet has no question %s", id[1])
					}
				}
			case labs != "":
				for _, id := range labInList.FindAllString(labs, -1) {
					name, task, _ := strings.Cut(id, "/")
					lab, ok := module.Lab(name)
					if !ok {
						bad("there is no lab %s", name)
					} else if _, ok := lab.Task(task); task != "" && !ok {
						bad("lab %s has no task %s", name, task)
					}
				}
			}
		}
		if named == 0 {
			bad("names no place: %s", strings.TrimSpace(where))
		}
	}
	for _, s := range module.Outline {
		if !sections[s.Number] {
			t.Errorf("COVERAGE.md says nothing of section %d", s.Number)
		}
	}
	if rows < 100 {
		t.Errorf("COVERAGE.md has %d rows; the source has more parts than that", rows)
	}
}

// TestCoverageListHasEveryPartOfTheSource counts the source's sections, tables, steppers,
// labs and questions, where it is there.
func TestCoverageListHasEveryPartOfTheSource(t *testing.T) {
	text := source(t)
	if text == "" {
		t.Logf("not compared: no source at %s", sourceOfCourse)
		return
	}
	r := &lintRun{fsys: Embedded()}
	parts := map[string]string{} // of the list, by heading
	heading := ""
	for line := range strings.Lines(r.text("operating-systems/COVERAGE.md")) {
		if title, ok := strings.CutPrefix(line, "## Source "); ok {
			heading, _, _ = strings.Cut(strings.TrimSpace(title), " ·")
		}
		parts[heading] += line
	}
	part := ""
	counts := map[string]map[string]int{}
	count := func(what string) {
		if counts[part] == nil {
			counts[part] = map[string]int{}
		}
		counts[part][what]++
	}
	section := regexp.MustCompile(`^(\d+) · `)
	question := regexp.MustCompile(`^Q\d+[A-Z]`)
	for line := range strings.Lines(text) {
		switch found := section.FindStringSubmatch(line); {
		case found != nil:
			part = "section " + found[1]
			count("| ")
		case strings.HasPrefix(line, "Now build it by hand"):
			part = "labs"
		case strings.HasPrefix(line, "The interview gauntlet"):
			part = "gauntlet"
		case question.MatchString(line):
			count("\n| Q")
		case strings.Contains(line, "· hover each"):
			count("\n| table")
		case strings.HasPrefix(line, "Interactive · "):
			count("stepper `")
		}
	}
	if len(counts) != 14 {
		t.Fatalf("the source has %d parts, want 12 sections, labs and gauntlet", len(counts))
	}
	for part, all := range counts {
		for what, n := range all {
			if got := strings.Count(parts[part], what); got < n {
				t.Errorf("COVERAGE.md, source %s: %d of %q, the source has %d", part, got, strings.TrimSpace(what), n)
			}
		}
	}
	library, _ := Load(Embedded())
	module, _ := library.Module("operating-systems")
	for _, q := range module.Gauntlet {
		if !strings.Contains(parts["gauntlet"], "`"+q.ID+"`") {
			t.Errorf("COVERAGE.md does not name the question %s", q.ID)
		}
	}
}
