package classroom

import "time"

// Day is how a day is written.
const Day = "2006-01-02"

// spaces are the days until a question comes again, after one, two, three good answers
// in a row. The browser has the same (testdata/spacing.json).
var spaces = []int{1, 3, 7, 14, 30, 60}

// nextStep is how many good answers in a row there are now: said of the points of an
// answer were there. All but one at most is good; half of them leaves it as it was.
func nextStep(step, said, points int) int {
	switch {
	case said >= points-1:
		return step + 1
	case 2*said >= points:
		return step
	}
	return 0
}

// due is the day on which a question that was marked on a day comes again: by the
// spacing or as chosen, never later than the day before the interview. "" means not
// again: the interview comes first. An interview that is over counts for nothing.
func due(day string, step int, chosen, interview string) string {
	from, err := time.Parse(Day, day)
	if err != nil {
		return ""
	}
	again := from.AddDate(0, 0, spaces[min(max(step, 1), len(spaces))-1]).Format(Day)
	if chosen > day {
		again = chosen
	}
	if to, err := time.Parse(Day, interview); err == nil && interview > day {
		again = min(again, to.AddDate(0, 0, -1).Format(Day))
	}
	if again <= day {
		return ""
	}
	return again
}
