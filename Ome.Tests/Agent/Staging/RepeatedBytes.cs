using System.Globalization;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;

namespace Ome.Tests.Agent.Staging;

/// <summary>
/// What a hub was asked for again by a stager that lived several lives. Counted are bytes that had arrived on the client's machine: what a reset threw away on the way was
/// never there.
/// </summary>
/// <param name="root">The models root.</param>
/// <param name="sizes">Of all files.</param>
internal sealed class RepeatedBytes(string root, IReadOnlyDictionary<string, long> sizes)
{
    // The listing is in this order, and the number of a side file is the place of its file in the listing.
    private readonly List<string> _files = [.. sizes.Keys.Order(StringComparer.Ordinal)];
    private readonly List<(string Path, long Begin, long End)> _arrived = [];
    private readonly HashSet<(string Path, int Chunk)> _noted = [];
    private readonly List<string> _again = [];
    private readonly List<string> _notedAgain = [];
    private int _bodies;

    /// <summary>What the kernel takes in for a process that has not read it yet, and what lies in its two buffers: lost with it, though it had arrived.</summary>
    public static long UnreadAtMost { get; } =
        long.Parse(File.ReadLines("/proc/sys/net/ipv4/tcp_rmem").First().Split('\t')[2], CultureInfo.InvariantCulture) + (4L << 20);

    /// <summary>Bytes that arrived in an earlier life and again in a later one.</summary>
    public long LostByKills { get; private set; }

    /// <summary>Ranges that arrived twice in one life.</summary>
    public IReadOnlyList<string> ArrivedAgainInOneLife => _again;

    /// <summary>Ranges asked for although their chunk had been noted.</summary>
    public IReadOnlyList<string> NotedAndAskedAgain => _notedAgain;

    /// <summary>Full chunks of all files.</summary>
    public int FullChunks { get; } = (int)sizes.Values.Sum(size => size / ArtifactManifest.ChunkSize);

    /// <summary>Full chunks that the side files' journals name.</summary>
    public int NotedFullChunks => NotedChunks().Distinct().Count(noted => (noted.Chunk + 1) * ArtifactManifest.ChunkSize <= sizes[noted.Path]);

    /// <summary>A life ended: <paramref name="bodies"/> are all answers so far, the journals are what it leaves.</summary>
    public void Killed(IReadOnlyList<HubBody> bodies)
    {
        Ended(bodies);
        _noted.UnionWith(NotedChunks());
    }

    /// <summary>The last life ended.</summary>
    public void Ended(IReadOnlyList<HubBody> bodies)
    {
        var life = new List<(string Path, long Begin, long End)>();
        foreach (var body in bodies.Skip(_bodies))
        {
            foreach (var (path, chunk) in _noted.Where(noted => noted.Path == body.Path && Overlap(body.Offset, body.Offset + body.Sent, noted.Chunk) > 0))
                _notedAgain.Add($"{path} chunk {chunk} by bytes {body.Offset} to {body.Offset + body.Sent}");
            var (begin, end) = (body.Offset, body.Offset + body.Reached);
            _again.AddRange(life.Where(earlier => earlier.Path == body.Path && Math.Min(earlier.End, end) > Math.Max(earlier.Begin, begin))
                .Select(earlier => $"{body.Path}: {earlier.Begin} to {earlier.End}, then {begin} to {end}"));
            LostByKills += _arrived.Where(earlier => earlier.Path == body.Path).Sum(earlier => Math.Max(0, Math.Min(earlier.End, end) - Math.Max(earlier.Begin, begin)));
            life.Add((body.Path, begin, end));
        }

        _bodies = bodies.Count;
        _arrived.AddRange(life);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_bodies} answers, {_noted.Count} chunks noted when killed, {LostByKills} bytes lost by kills");

    private static long Overlap(long begin, long end, int chunk) =>
        Math.Min(end, (chunk + 1) * ArtifactManifest.ChunkSize) - Math.Max(begin, chunk * ArtifactManifest.ChunkSize);

    private List<(string Path, int Chunk)> NotedChunks()
    {
        var noted = new List<(string Path, int Chunk)>();
        var staging = Path.Combine(root, ".ome", "staging");
        if (!Directory.Exists(staging)) return noted;
        foreach (var journal in Directory.EnumerateFiles(staging, "*.part.chunks", SearchOption.AllDirectories))
        {
            var path = _files[int.Parse(Path.GetFileName(journal).Split('.')[0], CultureInfo.InvariantCulture)];
            // The last line may be torn.
            noted.AddRange(File.ReadAllLines(journal).Select(line => line.Split(' ')).Where(parts => parts is [_, { Length: 32 }])
                .Select(parts => (path, int.Parse(parts[0], CultureInfo.InvariantCulture))));
        }

        return noted;
    }
}
