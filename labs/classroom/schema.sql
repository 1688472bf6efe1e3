-- Times are Unix milliseconds; 0 means "not yet".

-- Things of which the server has one.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY, -- "secret": the key with which cookies are signed
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One learner in one sandbox of one lab.
CREATE TABLE attempt (
    sandbox    TEXT PRIMARY KEY, -- the sandbox's id
    learner    TEXT NOT NULL,    -- opaque, from the cookie
    module     TEXT NOT NULL,    -- id of the module
    lab        TEXT NOT NULL,    -- id of the lab
    seed       TEXT NOT NULL,    -- hex; the values to be found derive from it
    generation INTEGER NOT NULL, -- resets of the sandbox so far
    expires    INTEGER NOT NULL, -- when the sandbox ends by itself
    memory     INTEGER NOT NULL, -- its memory limit in bytes
    started    INTEGER NOT NULL, -- when it was made
    ended      INTEGER NOT NULL DEFAULT 0 -- when it was removed; 0 while it lives
) STRICT, WITHOUT ROWID;

-- At start the server asks for those that may still live.
CREATE INDEX attempt_live ON attempt (ended) WHERE ended = 0;

-- What was submitted last for a task; forgotten at a reset.
CREATE TABLE answer (
    sandbox TEXT NOT NULL REFERENCES attempt (sandbox),
    task    TEXT NOT NULL, -- id of the task
    value   TEXT NOT NULL, -- as submitted
    PRIMARY KEY (sandbox, task)
) STRICT, WITHOUT ROWID;

-- Where a learner stands in a task, over all his attempts.
CREATE TABLE progress (
    learner    TEXT NOT NULL,
    module     TEXT NOT NULL,
    lab        TEXT NOT NULL,
    task       TEXT NOT NULL,
    passed     INTEGER NOT NULL DEFAULT 0,  -- the first pass
    revealed   INTEGER NOT NULL DEFAULT 0,  -- when the solution was shown
    hints      INTEGER NOT NULL DEFAULT 0,  -- how many were opened
    prediction TEXT NOT NULL DEFAULT '',    -- the first one; '' for none
    last       TEXT NOT NULL DEFAULT '',    -- the newest result, as JSON; '' for none
    tries      INTEGER NOT NULL DEFAULT 0,  -- attempts that did not pass
    PRIMARY KEY (learner, module, lab, task)
) STRICT, WITHOUT ROWID;
