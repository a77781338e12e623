using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
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

    /// <summary>Less than any line about a file has: no more memory is asked for than a file of that size could fill.</summary>
    private const int MinEntryBytes = 32;

    /// <summary>The text, sealed.</summary>
    public static byte[] Write(ArtifactManifest manifest)
    {
        using var lines = Lines(manifest);
        return SealedText.Seal(Format, ArtifactManifest.CurrentVersion, lines.Written);
    }

    /// <summary>What <see cref="Write"/> seals its body with.</summary>
    public static string DigestOf(ArtifactManifest manifest)
    {
        using var lines = Lines(manifest);
        return Convert.ToHexStringLower(SHA256.HashData(lines.Written));
    }

    /// <summary>Reads the text; a manifest of another source than <paramref name="expected"/> (when given) is refused.</summary>
    /// <exception cref="IOException">The file could not be read.</exception>
    public static bool TryRead(
        Stream file, SourceIdentity? expected, [NotNullWhen(true)] out ManifestDocument? document, [NotNullWhen(false)] out SealProblem? problem)
    {
        if (!SealedText.TryRead(file, Format, ArtifactManifest.CurrentVersion, ReadBody, out document, out problem)) return false;
        if (expected is null || document.Manifest.Source.SameSpec(expected)) return true;
        problem = new SealProblem(SealRefusal.OtherSubject, $"it is about '{document.Manifest.Source.StorageUri}' at '{document.Manifest.Source.StoragePath}'");
        document = null;
        return false;
    }

    private static JsonLines Lines(ArtifactManifest manifest)
    {
        var lines = new JsonLines();
        lines.Add(json => WriteArtifact(json, manifest));
        foreach (var entry in manifest.Entries) lines.Add(json => WriteEntry(json, entry));
        return lines;
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

    private static ManifestDocument ReadBody(SealedLines lines)
    {
        if (!lines.TryNext(out var line)) throw new FormatException("there is no line about the artifact");
        var head = new JsonMembers(line);
        var source = new SourceIdentity(head.Text("storageUri"u8), head.Text("storagePath"u8), head.OptionalText("revision"u8));
        var trust = head.Text("trust"u8) switch { "upstream" => ManifestTrust.Upstream, "local" => ManifestTrust.Local, var other => throw new FormatException($"trust '{other}'") };
        var createdAt = TimeText.Read(head.Text("createdAt"u8));
        var chunkBytes = head.Number("chunkBytes"u8);
        var files = head.Number("files"u8);
        head.End();
        if (chunkBytes < 1) throw new FormatException($"chunks of {chunkBytes} bytes");
        if (files < 0 || files > lines.Bytes / MinEntryBytes) throw new FormatException($"{files} files in {lines.Bytes} bytes");
        var entries = ImmutableArray.CreateBuilder<ManifestEntry>((int)files);
        while (lines.TryNext(out line))
        {
            var entry = ReadEntry(line, chunkBytes);
            if (entries.Count > 0 && entry.Path <= entries[^1].Path) throw new FormatException($"'{entry.Path}' is out of order");
            if (entries.Count == files) throw new FormatException($"more files are listed than the {files} announced");
            entries.Add(entry);
        }

        if (entries.Count != files) throw new FormatException($"{entries.Count} files are listed, {files} announced");
        return new ManifestDocument(new ArtifactManifest(source, trust, createdAt, entries.MoveToImmutable(), chunkBytes), lines.Sha256);
    }

    private static ManifestEntry ReadEntry(ReadOnlySpan<byte> line, long chunkBytes)
    {
        var members = new JsonMembers(line);
        var path = ArtifactPath.Parse(members.Text("path"u8));
        var stamp = StampText.Read(ref members, "stamp"u8) ?? throw JsonMembers.Missing("stamp"u8);
        var link = members.OptionalText("link"u8);
        var sha256 = members.OptionalText("sha256"u8, ParseSha256);
        var upstream = members.OptionalTexts("upstream"u8, ParseDigest);
        var chunks = members.OptionalTexts("chunks"u8, ParseChunk);
        var baseline = members.OptionalTexts("baseline"u8, static text => text.ToString());
        members.End();
        var expected = sha256 is null ? 0 : ArtifactManifest.ChunkCount(stamp.Size, chunkBytes);
        if (chunks.Length != expected) throw new FormatException($"'{path}' has {chunks.Length} chunks, expected {expected}");
        return new ManifestEntry(path, stamp, link, sha256, upstream, chunks, baseline);
    }

    private static ContentDigest ParseSha256(ReadOnlySpan<char> text) =>
        ContentDigest.TryParseSha256(text, out var digest) ? digest.Value : throw new FormatException($"'{text}' is not a digest");

    private static ContentDigest ParseDigest(ReadOnlySpan<char> text) =>
        ContentDigest.TryParse(text, out var digest) ? digest.Value : throw new FormatException($"'{text}' is not a digest");

    private static UInt128 ParseChunk(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[16];
        return ContentDigest.TryReadHex(text, bytes) ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : throw new FormatException($"'{text}' is not a chunk digest");
    }
}
