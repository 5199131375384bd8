// Command verify checks an exported hashfed list with code that hashfed's authors did not write: signed notes and
// Merkle trees of golang.org/x/mod. It shares nothing with the project but the files of `hashfed log export`.
//
//	verify DIR [PROOF.json ...]
//
// DIR holds checkpoint, entries.bin, leaves.hex and key.vkey, and perhaps cosigners.vkeys, a key a line: each of them
// must have cosigned. It exits 0 only if everything verifies.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

type proof struct {
	LeafIndex *int64   `json:"leaf_index"`
	FromSize  *int64   `json:"from_size"`
	TreeSize  int64    `json:"tree_size"`
	Hashes    []string `json:"hashes"`
}

func main() {
	if len(os.Args) < 2 {
		fail("usage: verify DIR [PROOF.json ...]")
	}
	dir := os.Args[1]
	head := openCheckpoint(dir)
	leaves := readLeaves(filepath.Join(dir, "leaves.hex"))
	tree := buildTree(leaves)
	checkTree(head, leaves, tree)
	checkEntries(filepath.Join(dir, "entries.bin"), leaves)
	for _, file := range os.Args[2:] {
		checkProof(file, head, leaves, tree)
	}
	fmt.Printf("verified %s size %d, %d proofs\n", head.origin, head.size, len(os.Args)-2)
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func check(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func openCheckpoint(dir string) checkpoint {
	vkey, err := os.ReadFile(filepath.Join(dir, "key.vkey"))
	check(err, "key.vkey")
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	check(err, "key.vkey")
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err, "checkpoint")
	cosigners := readCosigners(filepath.Join(dir, "cosigners.vkeys"))
	opened, err := note.Open(text, note.VerifierList(append(cosigners, verifier)...))
	check(err, "checkpoint signature")
	signed := map[string]bool{}
	for _, sig := range opened.Sigs {
		signed[sig.Name] = true
	}
	for _, each := range append(cosigners, verifier) {
		if !signed[each.Name()] {
			fail("checkpoint: %s did not sign", each.Name())
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		fail("checkpoint: not three lines of the key's origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "checkpoint size")
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err, "checkpoint root")
	head := checkpoint{origin: lines[0], size: size}
	if copy(head.root[:], root) != len(root) || len(root) != tlog.HashSize {
		fail("checkpoint: root is not 32 bytes")
	}
	return head
}

// cosigner verifies signatures of type 4 (C2SP tlog-cosignature), which x/mod's note package does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

func readCosigners(file string) []note.Verifier {
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	check(err, "cosigners.vkeys")
	var out []note.Verifier
	for _, line := range strings.Fields(string(data)) {
		parts := strings.SplitN(line, "+", 3)
		if len(parts) != 3 {
			fail("cosigners.vkeys: no key in %q", line)
		}
		raw, err := base64.StdEncoding.DecodeString(parts[2])
		check(err, "cosigners.vkeys")
		if len(raw) != 1+ed25519.PublicKeySize || raw[0] != 4 {
			fail("cosigners.vkeys: %s is no key of type 4", parts[0])
		}
		sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
		if hex.EncodeToString(sum[:4]) != parts[1] {
			fail("cosigners.vkeys: key ID of %s is wrong", parts[0])
		}
		out = append(out, cosigner{parts[0], binary.BigEndian.Uint32(sum[:4]), raw[1:]})
	}
	return out
}

func readLeaves(file string) []tlog.Hash {
	data, err := os.ReadFile(file)
	check(err, "leaves.hex")
	var leaves []tlog.Hash
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		leaves = append(leaves, parseHash(lines.Text()))
	}
	return leaves
}

func parseHash(text string) tlog.Hash {
	raw, err := hex.DecodeString(text)
	check(err, "hash")
	if len(raw) != tlog.HashSize {
		fail("hash: %d bytes", len(raw))
	}
	var hash tlog.Hash
	copy(hash[:], raw)
	return hash
}

// storage is tlog's flat numbering of subtree hashes, in memory.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("no stored hash %d", index)
		}
		out[i] = s[index]
	}
	return out, nil
}

func buildTree(leaves []tlog.Hash) storage {
	var tree storage
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashesForRecordHash(int64(i), leaf, tree)
		check(err, "tree")
		tree = append(tree, hashes...)
	}
	return tree
}

func checkTree(head checkpoint, leaves []tlog.Hash, tree storage) {
	if int64(len(leaves)) != head.size {
		fail("leaves.hex holds %d hashes, the checkpoint says %d", len(leaves), head.size)
	}
	root, err := tlog.TreeHash(head.size, tree)
	check(err, "root")
	if root != head.root {
		fail("root of leaves.hex differs from the signed root")
	}
}

// checkEntries hashes every leaf of entries.bin; an erased leaf is two zero bytes and its leaf hash.
func checkEntries(file string, leaves []tlog.Hash) {
	data, err := os.ReadFile(file)
	check(err, "entries.bin")
	for i, want := range leaves {
		if len(data) < 2 {
			fail("entries.bin ends before entry %d", i)
		}
		length := int(binary.BigEndian.Uint16(data))
		data = data[2:]
		erased := length == 0
		if erased {
			length = tlog.HashSize
		}
		if len(data) < length {
			fail("entries.bin: entry %d is cut short", i)
		}
		got := tlog.RecordHash(data[:length])
		if erased {
			copy(got[:], data)
		}
		if got != want {
			fail("entries.bin: entry %d does not hash to its leaf hash", i)
		}
		data = data[length:]
	}
	if len(data) != 0 {
		fail("entries.bin: %d bytes after the last entry", len(data))
	}
}

func checkProof(file string, head checkpoint, leaves []tlog.Hash, tree storage) {
	data, err := os.ReadFile(file)
	check(err, file)
	var p proof
	check(json.Unmarshal(data, &p), file)
	hashes := make([]tlog.Hash, len(p.Hashes))
	for i, text := range p.Hashes {
		hashes[i] = parseHash(text)
	}
	if p.TreeSize != head.size {
		fail("%s: proof is for size %d, the checkpoint for %d", file, p.TreeSize, head.size)
	}
	switch {
	case p.LeafIndex != nil && *p.LeafIndex < head.size:
		check(tlog.CheckRecord(hashes, head.size, head.root, *p.LeafIndex, leaves[*p.LeafIndex]), file)
	case p.FromSize != nil && *p.FromSize <= head.size:
		old, err := tlog.TreeHash(*p.FromSize, tree)
		check(err, file)
		check(tlog.CheckTree(hashes, head.size, head.root, *p.FromSize, old), file)
	default:
		fail("%s: neither an inclusion nor a consistency proof of this list", file)
	}
}
