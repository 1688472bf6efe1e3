-- What a learner wrote and was told, and what he did, in order.

ALTER TABLE progress ADD COLUMN outcome      TEXT    NOT NULL DEFAULT ''; -- of what was to be predicted, as the first pass told it; '' for none
ALTER TABLE progress ADD COLUMN why          TEXT    NOT NULL DEFAULT ''; -- his line on why it worked; '' for none
ALTER TABLE progress ADD COLUMN hinted       INTEGER NOT NULL DEFAULT 0;  -- when the last hint was opened
ALTER TABLE progress ADD COLUMN hinted_tries INTEGER NOT NULL DEFAULT 0;  -- tries at that moment

-- Each new attempt that did not pass, and the first pass; the newest of a task.
CREATE TABLE result (
    id      INTEGER PRIMARY KEY, -- in order of time
    learner TEXT NOT NULL,
    module  TEXT NOT NULL,
    lab     TEXT NOT NULL,
    task    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    result  TEXT NOT NULL -- as JSON
) STRICT;
CREATE INDEX result_of_task ON result (learner, module, lab, task, id);

-- A learner's sandboxes, for the time that he took.
CREATE INDEX attempt_of_learner ON attempt (learner);

-- A look that saw no attempt leaves a task open, and is no longer kept.
UPDATE progress SET last = ''
WHERE last <> '' AND json_extract(last, '$.status') = 'fail' AND NOT json_extract(last, '$.attempted');
