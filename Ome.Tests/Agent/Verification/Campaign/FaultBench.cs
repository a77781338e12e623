using System.Diagnostics;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification.Campaign;

/// <summary>One model tree that is damaged in seeded ways, checked, and put right again.</summary>
internal sealed class FaultBench : IAsyncDisposable
{
    private const string Extra = "model-00009-of-00002.safetensors";

    private readonly CheckedTree _tree = new(populate: false);
    private readonly Dictionary<string, byte[]> _pristine = [];
    private readonly Dictionary<string, string> _links = [];
    private readonly Random _random;
    private ManifestDocument _manifest = null!;

    private FaultBench(int seed) => _random = new Random(seed);

    public enum Layout
    {
        /// <summary>Three shards, GGUF, configuration and tokenizer, of real shapes.</summary>
        Flat,

        /// <summary>Links of a Hugging Face cache to blobs above the snapshot.</summary>
        HubCache,

        /// <summary>Weights in folders, as diffusion pipelines have them; shards above 1 MiB.</summary>
        Nested,

        /// <summary>Ten thousand small files in a hundred folders.</summary>
        ManySmall,
    }

    private string Root { get; set; } = "";

    private string? Boundary { get; set; }

    public long BytesRead => _tree.Engine.BytesRead;

    public static async Task<FaultBench> MakeAsync(Layout layout, int seed, CancellationToken token)
    {
        var bench = new FaultBench(seed);
        bench.Root = bench._tree.Root;
        switch (layout)
        {
            case Layout.Flat:
                ModelTree.Write(bench.Root, new ModelTreeOptions(seed, 200_000, 3, WithGguf: true));
                break;
            case Layout.Nested:
                bench._tree.Populate(seed, shardBytes: 1_300_000);
                ModelTree.Write(Path.Combine(bench.Root, "text_encoder"), new ModelTreeOptions(seed + 1, 100_000, 1));
                break;
            case Layout.ManySmall:
                bench._tree.Populate(seed);
                for (var i = 0; i < 10_000; i++) bench._tree.Write($"data/{i % 100:d2}/{i:d5}.json", $"{{\"number\":{i * seed}}}");
                break;
            default:
                bench.MakeHubCache(seed);
                break;
        }

        bench.Remember();
        var ledger = await bench._tree.ProveAsync(token, bench.Root, bench.Boundary);
        bench._manifest = new ManifestDocument(ledger.Manifest, ledger.ManifestDigest);
        return bench;
    }

    /// <summary>Makes a fault, checks, puts everything right, and says what came of it.</summary>
    public async Task<(Fault Fault, CheckReport Blind, CheckReport Report)> RunAsync(FaultClass kind, CancellationToken token)
    {
        var ledger = await FreshLedgerAsync(token);
        var fault = Make(kind);
        if (fault.Silent) await ForgetDriftAsync(ledger, token);
        // Silent faults that only content shows: a presence check must miss them, or the test proves nothing about the deep tier.
        var blind = fault is { Silent: true, Scope: CheckScope.Full } ? await CheckAsync(ledger, CheckScope.Presence, token) : null;
        var report = await CheckAsync(ledger, fault.Scope, token);
        Restore(fault);
        return (fault, blind ?? report, report);
    }

    public async Task<CheckReport> CheckIntactAsync(CheckScope scope, CancellationToken token) => await CheckAsync(await FreshLedgerAsync(token), scope, token);

    public ValueTask DisposeAsync()
    {
        _tree.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<CheckReport> CheckAsync(VerificationLedger ledger, CheckScope scope, CancellationToken token)
    {
        _tree.Policy = _tree.Policy with { SettleDelay = TimeSpan.FromMilliseconds(1) };
        return _tree.CheckAsync(ledger, scope, token, Root, Boundary);
    }

    private void MakeHubCache(int seed)
    {
        Boundary = Path.Combine(_tree.Base, "models--acme--tiny");
        Root = Path.Combine(Boundary, "snapshots", "0123456789abcdef");
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Path.Combine(Boundary, "blobs"));
        var staged = Path.Combine(_tree.Base, "staged");
        foreach (var path in ModelTree.Write(staged, new ModelTreeOptions(seed, 150_000, 3)))
        {
            var source = Path.Combine(staged, path);
            var sha256 = CheckedTree.Sha256Of(source);
            File.Move(source, Path.Combine(Boundary, "blobs", sha256), overwrite: true);
            File.CreateSymbolicLink(Path.Combine(Root, path), $"../../blobs/{sha256}");
        }
    }

    private void Remember()
    {
        foreach (var file in Directory.GetFiles(Root, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(Root, file);
            if (new FileInfo(file).LinkTarget is { } target) _links[path] = target;
            using var stream = File.OpenRead(file);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            _pristine[path] = bytes;
        }
    }

    /// <summary>A ledger in which everything was proven as it lies there now.</summary>
    private async Task<VerificationLedger> FreshLedgerAsync(CancellationToken token)
    {
        var ledger = VerificationLedger.ProvenAt(_manifest, GivenManifest.Born);
        await ForgetDriftAsync(ledger, token);
        return ledger;
    }

    private async Task ForgetDriftAsync(VerificationLedger ledger, CancellationToken token)
    {
        if (await _tree.Engine.OpenRootAsync(Root, Boundary, token) is not ArtifactRootResult.Opened { Root: var root }) return;
        using (root)
        {
            var entries = _manifest.Manifest.Entries;
            await new StatPass(_tree.Engine).StatAsync(root, [.. entries.Select(entry => entry.Path)], (index, seen) =>
            {
                if (seen.Observation is FileObservation.Present present) ledger.ProveWhole(index, present.Stamp, GivenManifest.Born, ReadRoute.Direct);
            }, token);
        }
    }

    private Fault Make(FaultClass kind)
    {
        switch (kind)
        {
            case FaultClass.LinkDangling or FaultClass.LinkRetargeted or FaultClass.LinkOutOfRoot when _links.Count > 0:
                return MakeLink(kind);
            case FaultClass.LinkDangling or FaultClass.LinkRetargeted or FaultClass.LinkOutOfRoot:
                // In a tree without links, a link in the place of a file.
                return ReplaceByLink(kind);
            case FaultClass.Truncated or FaultClass.Extended or FaultClass.Emptied or FaultClass.PointerFile:
                return MakeSize(kind, PickSized(bytes => bytes.Length > 0));
            case FaultClass.Deleted or FaultClass.Renamed or FaultClass.DirectoryInPlace or FaultClass.FifoInPlace:
                return MakeGone(kind, PickNamed(_ => true));
            case FaultClass.ExtraFile:
                File.WriteAllText(Path.Combine(Root, Extra), "left over");
                return new Fault(kind, null, null, CheckScope.Full, [], Silent: false);
            default:
                return MakeContent(kind);
        }
    }

    private Fault MakeContent(FaultClass kind)
    {
        var path = kind switch
        {
            FaultClass.HeaderLengthEdited or FaultClass.HeaderTextEdited => PickNamed(name => name.EndsWith(".safetensors", StringComparison.Ordinal)),
            FaultClass.IndexEdited => PickNamed(name => name.EndsWith(".index.json", StringComparison.Ordinal)),
            FaultClass.ZeroedTail or FaultClass.ZeroedMebibyte => PickSized(bytes => bytes.Length > StructureCheck.TailBytes, orElse: bytes => bytes.Length > 2 * CheckedTree.Chunk),
            FaultClass.SwappedChunks or FaultClass.HolePunched or FaultClass.ZeroedPage => PickSized(bytes => bytes.Length > 2 * CheckedTree.Chunk),
            _ => PickSized(bytes => bytes.Length > 0),
        };
        var before = _pristine[path];
        var after = (byte[])before.Clone();
        Edit(kind, after);
        if (after.AsSpan().SequenceEqual(before)) after[^1] ^= 0x10;
        var chunks = Enumerable.Range(0, ArtifactManifest.ChunkCount(before.Length, CheckedTree.Chunk)).Where(chunk => !ChunkOf(before, chunk).SequenceEqual(ChunkOf(after, chunk))).ToList();
        Rewrite(kind, path, after);
        // A broken header, index or tail shows in the structure; everything else only in the content, or in the stamp when it moved.
        var structural = kind == FaultClass.HeaderLengthEdited || (kind == FaultClass.ZeroedTail && before.Length > StructureCheck.TailBytes);
        var silent = structural || _random.Next(4) != 0;
        return new Fault(kind, path, FindingReason.DigestMismatch, structural || !silent ? CheckScope.Presence : CheckScope.Full, chunks, silent);
    }

    /// <summary>Who rewrites a file to hide it puts the time of its last change back, to the nanosecond; the kernel's own stamp (ctime) stays moved.</summary>
    private void Rewrite(FaultClass kind, string path, byte[] bytes)
    {
        var stamp = Path.Combine(_tree.Base, "stamp");
        if (kind == FaultClass.RewrittenSameSize) Run("touch", "-r", Resolve(path), stamp);
        WriteInPlace(path, bytes, hole: kind == FaultClass.HolePunched);
        if (kind == FaultClass.RewrittenSameSize) Run("touch", "-r", stamp, Resolve(path));
    }

    private void Edit(FaultClass kind, byte[] bytes)
    {
        var at = _random.Next(3) switch { 0 => 0, 1 => bytes.Length - 1, _ => _random.Next(bytes.Length) };
        switch (kind)
        {
            case FaultClass.BitFlip:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case FaultClass.ByteRun:
                _random.NextBytes(bytes.AsSpan(at, Math.Min(bytes.Length - at, 1 + _random.Next(20_000))));
                break;
            case FaultClass.ZeroedPage or FaultClass.HolePunched:
                bytes.AsSpan(Math.Min(at, bytes.Length - 4097) & ~4095, 4096).Clear();
                break;
            case FaultClass.ZeroedMebibyte:
                var length = Math.Min(1 << 20, bytes.Length / 2);
                bytes.AsSpan(Math.Min(at, bytes.Length - length), length).Clear();
                break;
            case FaultClass.ZeroedTail:
                bytes.AsSpan(Math.Max(0, bytes.Length - StructureCheck.TailBytes)).Clear();
                break;
            case FaultClass.SwappedChunks:
                var first = bytes[..(int)CheckedTree.Chunk];
                bytes.AsSpan((int)CheckedTree.Chunk, (int)CheckedTree.Chunk).CopyTo(bytes);
                first.CopyTo(bytes, (int)CheckedTree.Chunk);
                break;
            case FaultClass.HeaderLengthEdited:
                bytes[_random.Next(2, 8)] ^= (byte)(1 << _random.Next(8));
                break;
            case FaultClass.HeaderTextEdited:
                var digit = bytes.AsSpan(0, Math.Min(bytes.Length, 400)).IndexOfAnyInRange((byte)'1', (byte)'8');
                bytes[digit]++;
                break;
            case FaultClass.IndexEdited:
                var name = bytes.AsSpan().LastIndexOf("model-0"u8);
                bytes[name + 6] = (byte)'9';
                break;
            default:
                _random.NextBytes(bytes);
                break;
        }
    }

    private Fault MakeSize(FaultClass kind, string path)
    {
        var size = _pristine[path].Length;
        var target = Resolve(path);
        switch (kind)
        {
            case FaultClass.Truncated:
                using (var stream = new FileStream(target, FileMode.Open)) stream.SetLength(_random.Next(2) == 0 ? size - 1 : _random.Next(size));
                break;
            case FaultClass.Emptied:
                using (var stream = new FileStream(target, FileMode.Open)) stream.SetLength(0);
                break;
            case FaultClass.Extended:
                using (var stream = new FileStream(target, FileMode.Append)) stream.Write(new byte[1 + _random.Next(5000)]);
                break;
            default:
                File.WriteAllText(target, $"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('a', 64)}\nsize {size}\n{(size == 0 ? "" : new string('\n', 1 + (size % 7)))}");
                break;
        }

        return new Fault(kind, path, FindingReason.SizeMismatch, CheckScope.Presence, [], Silent: false);
    }

    private Fault MakeGone(FaultClass kind, string path)
    {
        var name = Path.Combine(Root, path);
        if (kind == FaultClass.Renamed) File.Move(name, name + ".bak");
        else File.Delete(name);
        if (kind == FaultClass.DirectoryInPlace) Directory.CreateDirectory(name);
        if (kind == FaultClass.FifoInPlace) Run("mkfifo", name);
        var gone = kind is FaultClass.Deleted or FaultClass.Renamed;
        return new Fault(kind, path, gone ? FindingReason.FileMissing : FindingReason.UnexpectedType, CheckScope.Presence, [], Silent: false);
    }

    private Fault MakeLink(FaultClass kind)
    {
        var path = Pick(_links.Keys);
        var name = Path.Combine(Root, path);
        File.Delete(name);
        var other = _links.Values.First(target => target != _links[path]);
        File.CreateSymbolicLink(name, kind switch
        {
            FaultClass.LinkDangling => "../../blobs/" + new string('0', 64),
            FaultClass.LinkOutOfRoot => "../../../../../../../../etc/hostname",
            _ => other,
        });
        return new Fault(kind, path, FindingReason.LinkInvalid, CheckScope.Presence, [], Silent: false);
    }

    private Fault ReplaceByLink(FaultClass kind)
    {
        var path = PickSized(bytes => bytes.Length > 0);
        var name = Path.Combine(Root, path);
        var other = _pristine.Keys.First(candidate => candidate != path && _pristine[candidate].Length != _pristine[path].Length);
        File.Delete(name);
        File.CreateSymbolicLink(name, kind switch
        {
            FaultClass.LinkDangling => "nowhere",
            FaultClass.LinkOutOfRoot => "/etc/hostname",
            _ => Path.GetRelativePath(Path.GetDirectoryName(name)!, Path.Combine(Root, other)),
        });
        return new Fault(kind, path, FindingReason.LinkInvalid, CheckScope.Presence, [], Silent: false);
    }

    private void Restore(Fault fault)
    {
        if (fault.Path is not { } path)
        {
            File.Delete(Path.Combine(Root, Extra));
            return;
        }

        var name = Path.Combine(Root, path);
        if (fault.Class >= FaultClass.Deleted && fault.Class != FaultClass.PointerFile)
        {
            // Whatever lies there now goes; a FIFO must not be opened.
            if (fault.Class == FaultClass.DirectoryInPlace) Directory.Delete(name);
            else File.Delete(name);
            File.Delete(name + ".bak");
            if (_links.TryGetValue(path, out var target)) File.CreateSymbolicLink(name, target);
        }

        if (File.Exists(name) || !_links.ContainsKey(path)) WriteInPlace(path, _pristine[path], hole: false);
    }

    private void WriteInPlace(string path, byte[] bytes, bool hole)
    {
        var target = Resolve(path);
        using var stream = new FileStream(target, FileMode.OpenOrCreate, FileAccess.Write);
        if (hole) stream.SetLength(0);
        if (!hole)
        {
            stream.Write(bytes);
            stream.SetLength(bytes.Length);
            return;
        }

        // Pages of zeros are left out: the file is as long as before and has holes.
        for (var at = 0; at < bytes.Length; at += 4096)
        {
            var page = bytes.AsSpan(at, Math.Min(4096, bytes.Length - at));
            if (!page.ContainsAnyExcept((byte)0)) continue;
            stream.Position = at;
            stream.Write(page);
        }

        stream.SetLength(bytes.Length);
    }

    private string Resolve(string path) =>
        _links.ContainsKey(path) ? File.ResolveLinkTarget(Path.Combine(Root, path), returnFinalTarget: true)!.FullName : Path.Combine(Root, path);

    private string PickSized(Func<byte[], bool> fits, Func<byte[], bool>? orElse = null)
    {
        var candidates = _pristine.Where(file => fits(file.Value)).Select(file => file.Key).Order(StringComparer.Ordinal).ToList();
        return candidates.Count > 0 || orElse is null ? Pick(candidates) : PickSized(orElse);
    }

    private string PickNamed(Func<string, bool> named) => Pick(_pristine.Keys.Where(named).Order(StringComparer.Ordinal));

    /// <summary>The first, the last or any.</summary>
    private string Pick(IEnumerable<string> candidates)
    {
        var list = candidates.ToList();
        return list[_random.Next(4) switch { 0 => 0, 1 => list.Count - 1, _ => _random.Next(list.Count) }];
    }

    private static ReadOnlySpan<byte> ChunkOf(byte[] bytes, int chunk)
    {
        var start = (int)(chunk * CheckedTree.Chunk);
        return bytes.AsSpan(start, (int)Math.Min(CheckedTree.Chunk, bytes.Length - start));
    }

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
    }
}
