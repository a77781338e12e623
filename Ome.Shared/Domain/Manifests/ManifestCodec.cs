using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Ome.Shared.Domain.Manifests;

/// <summary>A manifest and the SHA-256 of its canonical text: its identity on the wire (<c>validation.manifestDigest</c>).</summary>
public sealed record ManifestDocument(ArtifactManifest Manifest, string Digest);

/// <summary>
/// The manifest's text: a sealed file of JSON lines, first the artifact, then one line a file, members in fixed order, nothing optional
/// written when empty. Equal manifests have equal bytes. Reading is strict: what this program would not have written is refused.
/// </summary>
public static class ManifestCodec
{
    public const string Format = "ome-manifest";

    /// <summary>The text, and the SHA-256 of its body.</summary>
    public static byte[] Write(ArtifactManifest manifest)
    {
        var lines = new JsonLines();
        lines.Add(json => WriteArtifact(json, manifest));
        foreach (var entry in manifest.Entries) lines.Add(json => WriteEntry(json, entry));
        return SealedText.Seal(Format, ArtifactManifest.CurrentVersion, lines.Written);
    }

    /// <summary>What <see cref="Write"/> would seal into, without keeping the bytes.</summary>
    public static string DigestOf(ArtifactManifest manifest) =>
        TryRead(Write(manifest), null, out var document, out var problem) ? document.Digest : throw new InvalidOperationException(problem.ToString());

    /// <summary>Reads the text; a manifest of another source than <paramref name="expected"/> (when given) is refused.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> file, SourceIdentity? expected, [NotNullWhen(true)] out ManifestDocument? document, [NotNullWhen(false)] out SealProblem? problem)
    {
        document = null;
        if (!SealedText.TryOpen(file, Format, ArtifactManifest.CurrentVersion, out var body, out var sha256, out problem)) return false;
        try
        {
            document = new ManifestDocument(ReadBody(body), sha256);
        }
        catch (Exception error) when (error is JsonException or FormatException or ArgumentException or OverflowException)
        {
            problem = new SealProblem(SealRefusal.Malformed, error.Message);
            return false;
        }

        if (expected is null || document.Manifest.Source.SameSpec(expected)) return true;
        problem = new SealProblem(SealRefusal.OtherSubject, $"it is about '{document.Manifest.Source.StorageUri}' at '{document.Manifest.Source.StoragePath}'");
        document = null;
        return false;
    }

    private static void WriteArtifact(Utf8JsonWriter json, ArtifactManifest manifest)
    {
        json.WriteString("storageUri", manifest.Source.StorageUri);
        json.WriteString("storagePath", manifest.Source.StoragePath);
        if (manifest.Source.Revision is not null) json.WriteString("revision", manifest.Source.Revision);
        json.WriteString("trust", manifest.Trust == ManifestTrust.Upstream ? "upstream" : "local");
        json.WriteString("createdAt", TimeText.Write(manifest.CreatedAt));
        json.WriteNumber("chunkBytes", manifest.ChunkBytes);
        json.WriteNumber("files", manifest.Entries.Length);
    }

    private static void WriteEntry(Utf8JsonWriter json, ManifestEntry entry)
    {
        json.WriteString("path", entry.Path.Value);
        StampText.Write(json, "stamp", entry.Stamp);
        if (entry.LinkTarget is not null) json.WriteString("link", entry.LinkTarget);
        if (entry.Sha256 is { } sha256) json.WriteString("sha256", sha256.Hex);
        JsonLines.WriteArray(json, "upstream", entry.Upstream, static (writer, digest) => writer.WriteStringValue(digest.ToString()));
        JsonLines.WriteArray(json, "chunks", entry.Chunks, static (writer, chunk) => writer.WriteStringValue(chunk.ToString("x32")));
        JsonLines.WriteArray(json, "baseline", entry.Baseline, static (writer, reason) => writer.WriteStringValue(reason));
    }

    private static ArtifactManifest ReadBody(ReadOnlyMemory<byte> body)
    {
        using var lines = JsonLines.Split(body).GetEnumerator();
        if (!lines.MoveNext()) throw new FormatException("there is no line about the artifact");
        var head = new JsonMembers(lines.Current);
        var source = new SourceIdentity(head.Text("storageUri"), head.Text("storagePath"), head.OptionalText("revision"));
        var trust = head.Text("trust") switch { "upstream" => ManifestTrust.Upstream, "local" => ManifestTrust.Local, var other => throw new FormatException($"trust '{other}'") };
        var createdAt = TimeText.Read(head.Text("createdAt"));
        var chunkBytes = head.Number("chunkBytes");
        var files = head.Number("files");
        head.End();
        var entries = new List<ManifestEntry>();
        while (lines.MoveNext())
        {
            var entry = ReadEntry(lines.Current, chunkBytes);
            if (entries.Count > 0 && entry.Path <= entries[^1].Path) throw new FormatException($"'{entry.Path}' is out of order");
            entries.Add(entry);
        }

        if (entries.Count != files) throw new FormatException($"{entries.Count} files are listed, {files} announced");
        return new ArtifactManifest(source, trust, createdAt, entries, chunkBytes);
    }

    private static ManifestEntry ReadEntry(ReadOnlyMemory<byte> line, long chunkBytes)
    {
        var members = new JsonMembers(line);
        var path = ArtifactPath.Parse(members.Text("path"));
        var stamp = StampText.Read(members.Array("stamp"));
        var link = members.OptionalText("link");
        ContentDigest? sha256 = members.OptionalText("sha256") is { } hex ? ParseDigest("sha256:" + hex) : null;
        var upstream = members.OptionalArray("upstream").Select(item => ParseDigest(item.GetString()!));
        var chunks = members.OptionalArray("chunks").Select(item => ParseChunk(item.GetString()!));
        var baseline = members.OptionalArray("baseline").Select(item => item.GetString()!);
        members.End();
        var entry = new ManifestEntry(path, stamp, link, sha256, [.. upstream], [.. chunks], [.. baseline]);
        var expected = sha256 is null ? 0 : ArtifactManifest.ChunkCount(stamp.Size, chunkBytes);
        return entry.Chunks.Length == expected ? entry : throw new FormatException($"'{path}' has {entry.Chunks.Length} chunks, expected {expected}");
    }

    private static ContentDigest ParseDigest(string text) =>
        ContentDigest.TryParse(text, out var digest) ? digest.Value : throw new FormatException($"'{text}' is not a digest");

    private static UInt128 ParseChunk(string text) =>
        text.Length == 32 && text.All(char.IsAsciiHexDigitLower)
            ? UInt128.Parse(text, System.Globalization.NumberStyles.AllowHexSpecifier, null)
            : throw new FormatException($"'{text}' is not a chunk digest");
}
