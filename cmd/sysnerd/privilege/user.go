package privilege

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"

	"sysnerd/sandbox"
)

const (
	// ownUser is taken where the machine has such a user.
	ownUser = "sysnerd"
	// ownUID is taken else: next to the learners' uids, which are free by the same
	// rule. Not nobody's, whom other daemons run as, too.
	ownUID = sandbox.FirstUID - 1
)

// User is whom the server runs as.
type User struct {
	Name     string // "" when the uid has none
	UID, GID int
}

func (u User) String() string {
	if u.Name == "" {
		return "uid " + strconv.Itoa(u.UID)
	}
	return u.Name + " (uid " + strconv.Itoa(u.UID) + ")"
}

// FindUser finds whom the setting names. "" means sysnerd, or a uid that nobody has.
func FindUser(setting string) (User, error) {
	switch uid, err := strconv.Atoi(setting); {
	case err == nil:
		return byUID(uid)
	case setting != "":
		found, err := user.Lookup(setting)
		if err != nil {
			return User{}, fmt.Errorf("there is no user %s; make him (useradd --system %s), or name another with --user", setting, setting)
		}
		return ordinary(found)
	}
	if found, err := user.Lookup(ownUser); err == nil {
		return ordinary(found)
	}
	found, err := byUID(ownUID)
	if err == nil && found.Name != "" {
		err = fmt.Errorf("uid %d, which the pages would run as, is user %s's; make a user for them (useradd --system %s), or name one with --user", ownUID, found.Name, ownUser)
	}
	return found, err
}

func byUID(uid int) (User, error) {
	found, err := user.LookupId(strconv.Itoa(uid))
	var unknown user.UnknownUserIdError
	if errors.As(err, &unknown) {
		return judge(User{UID: uid, GID: uid})
	}
	if err != nil {
		return User{}, fmt.Errorf("look for uid %d: %w; name another user with --user", uid, err)
	}
	return ordinary(found)
}

func ordinary(found *user.User) (User, error) {
	uid, err := strconv.Atoi(found.Uid)
	if err != nil {
		return User{}, err
	}
	gid, err := strconv.Atoi(found.Gid)
	if err != nil {
		return User{}, err
	}
	return judge(User{Name: found.Username, UID: uid, GID: gid})
}

func judge(u User) (User, error) {
	var why string
	switch {
	case u.UID == 0 || u.GID == 0:
		why = "is root, or in root's group"
	case u.UID >= sandbox.FirstUID && u.UID < sandbox.FirstUID+sandbox.Slots:
		why = fmt.Sprintf("has one of the learners' uids, %d to %d", sandbox.FirstUID, sandbox.FirstUID+sandbox.Slots-1)
	default:
		return u, nil
	}
	return User{}, fmt.Errorf("the pages cannot run as %s, who %s; name an ordinary user with --user, or leave it out", u, why)
}
