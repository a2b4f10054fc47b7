// SPDX-License-Identifier: BSD-2-Clause

// evidence.go - verifies an evidence log with Go's own packages for signed notes and transparency logs
// (golang.org/x/mod/sumdb/note and tlog): keys, delegations, checkpoint, every entry, a proof, and a cosignature.
//
//	evidence DIR IDENTITY [PROOF [COSIGNED WITNESS]]
//
// DIR is the log's directory after its writer ended, IDENTITY and WITNESS are verification keys, PROOF is what `evidence
// prove` printed. Prints what it verified; exits with 1 if something is wrong.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fail(format string, args ...interface{}) {
	check(fmt.Errorf(format, args...))
}

func verifier(vkey string) note.Verifier {
	v, err := note.NewVerifier(strings.TrimSpace(vkey))
	check(err)
	return v
}

// A checkpoint: its size and root.
func parseTree(text string) tlog.Tree {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		fail("no checkpoint")
	}
	n, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: n, Hash: root}
}

// The entries in bundles, also those in the last one, which is not full.
func readEntries(dir string, size int64) [][]byte {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		path := fmt.Sprintf("%03d", n%1000)
		if size-n*256 < 256 {
			path += fmt.Sprintf(".p/%d", size%256)
		}
		b, err := os.ReadFile(filepath.Join(dir, "tile/entries", path))
		check(err)
		for len(b) > 0 {
			if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
				fail("%s: cut off", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(b))
			entries = append(entries, b[2:end])
			b = b[end:]
		}
	}
	return entries
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, i := range indexes {
		list = append(list, h[i])
	}
	return list, nil
}

// The tree of all entries, and the root for each size that a delegation was signed for.
func build(entries [][]byte) hashes {
	var h hashes
	for i, entry := range entries {
		more, err := tlog.StoredHashes(int64(i), entry, h)
		check(err)
		h = append(h, more...)
	}
	return h
}

// Follow the delegations from the identity key to the key that signs now.
func followKeys(entries [][]byte, h hashes, identity note.Verifier) (note.Verifier, int) {
	var now note.Verifier
	count := 0
	for i, entry := range entries {
		var e struct {
			Kind   string
			Record struct{ Note string }
		}
		check(json.Unmarshal(entry, &e))
		if e.Kind != "epoch" {
			continue
		}
		known := []note.Verifier{identity}
		if now != nil {
			known = append(known, now)
		}
		n, err := note.Open([]byte(e.Record.Note), note.VerifierList(known...))
		if err != nil {
			fail("entry %d: %v", i, err)
		}
		lines := strings.Split(n.Text, "\n")
		root, err := tlog.TreeHash(int64(i), h)
		check(err)
		if i > 0 && lines[4] != root.String() || lines[3] != fmt.Sprintf("size %d", i) {
			fail("entry %d: the delegation is of another place", i)
		}
		now = verifier(lines[5])
		count++
	}
	if now == nil {
		fail("no delegation")
	}
	return now, count
}

// C2SP tlog-proof, with the entry as extra data.
func checkProof(path string, v note.Verifier) int64 {
	b, err := os.ReadFile(path)
	check(err)
	head, checkpoint, found := strings.Cut(string(b), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("no proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		proof = append(proof, hash)
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(v))
	check(err)
	tree := parseTree(n.Text)
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
	return index
}

// C2SP tlog-cosignature, which the package note does not know by itself.
type witness struct {
	name string
	key  ed25519.PublicKey
}

func (w witness) Name() string { return w.name }

func (w witness) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(w.name+"\n\x04"), w.key...))
	return binary.BigEndian.Uint32(sum[:])
}

func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(w.key, append([]byte(head), msg...), sig[8:])
}

func checkCosigned(path, vkey string, log note.Verifier) int64 {
	part := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	key, err := base64.StdEncoding.DecodeString(part[2])
	check(err)
	b, err := os.ReadFile(path)
	check(err)
	n, err := note.Open(b, note.VerifierList(log, witness{part[0], key[1:]}))
	check(err)
	if len(n.Sigs) != 2 {
		fail("%s: not signed by both", path)
	}
	return parseTree(n.Text).N
}

func main() {
	dir, identity := os.Args[1], verifier(os.Args[2])
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err)
	size := parseTree(string(b)).N // not trusted yet: how much to read
	entries := readEntries(dir, size)
	if int64(len(entries)) != size {
		fail("%d entries, the checkpoint is of %d", len(entries), size)
	}
	h := build(entries)
	key, epochs := followKeys(entries, h, identity)
	n, err := note.Open(b, note.VerifierList(key))
	check(err)
	tree := parseTree(n.Text)
	root, err := tlog.TreeHash(size, h)
	check(err)
	if !bytes.Equal(root[:], tree.Hash[:]) {
		fail("the entries are not those that the checkpoint was signed for")
	}
	fmt.Printf("verified: %d entries, %d keys\n", size, epochs)
	if len(os.Args) > 3 {
		fmt.Printf("verified: proof of entry %d\n", checkProof(os.Args[3], key))
	}
	if len(os.Args) > 5 {
		fmt.Printf("verified: cosignature of %d entries\n", checkCosigned(os.Args[4], os.Args[5], key))
	}
}
