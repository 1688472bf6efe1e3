-- What a learner has read and recalled, and his interview gauntlet. Days are
-- YYYY-MM-DD where he was; '' means "none".

-- Where a learner stands in a section.
CREATE TABLE reading (
    learner TEXT NOT NULL,
    module  TEXT NOT NULL,
    section TEXT NOT NULL,            -- id of the section
    seen    INTEGER NOT NULL,         -- when he was there last
    heading TEXT NOT NULL,            -- id of the heading where he was; '' for the top
    read    INTEGER NOT NULL,         -- when he first came to its end
    PRIMARY KEY (learner, module, section)
) STRICT, WITHOUT ROWID;

-- What he answered to a section's recall questions.
CREATE TABLE recall (
    learner  TEXT NOT NULL,
    module   TEXT NOT NULL,
    section  TEXT NOT NULL,
    question TEXT NOT NULL,           -- id of the recall block
    answered INTEGER NOT NULL,        -- the last time
    recalled INTEGER NOT NULL,        -- the first right answer
    PRIMARY KEY (learner, module, section, question)
) STRICT, WITHOUT ROWID;

-- The day of his interview.
CREATE TABLE interview (
    learner TEXT NOT NULL,
    module  TEXT NOT NULL,
    day     TEXT NOT NULL,
    PRIMARY KEY (learner, module)
) STRICT, WITHOUT ROWID;

-- How he marked his newest answer to a question of the gauntlet.
CREATE TABLE mark (
    learner  TEXT NOT NULL,
    module   TEXT NOT NULL,
    question TEXT NOT NULL,           -- id of the question
    points   TEXT NOT NULL,           -- a JSON list: which of its points he said, from 0
    marked   INTEGER NOT NULL,
    day      TEXT NOT NULL,           -- on which he marked it
    step     INTEGER NOT NULL,        -- good answers in a row; the spacing hangs on it
    chosen   TEXT NOT NULL,           -- the day on which he wants it again
    PRIMARY KEY (learner, module, question)
) STRICT, WITHOUT ROWID;
