using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>
/// What a side directory holds beside the bytes: the pinned listing, so that a restart goes on with the same revision and asks nobody, and a note
/// for each file that is proven. Notes are renamed into place after the file they speak of was flushed.
/// </summary>
internal sealed class StagingRecord(StagingDisk disk, string directory)
{
    private const int Version = 1;
    private const int MostBytes = 256 << 20;

    private string ListingPath => Path.Combine(directory, "listing.json");

    /// <summary>Directory of the whole artifact, where it cannot grow in its own place.</summary>
    public string WholePath => Path.Combine(directory, "whole");

    /// <summary>Side file of the listing's n-th file.</summary>
    public string PartPath(int index) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{index:D6}.part"));

    /// <summary>The listing this directory was begun for; null when there is none, it is broken, or it belongs to another source.</summary>
    public ArtifactListing? LoadListing(SourceIdentity identity)
    {
        if (Read(ListingPath, StagingJson.Default.ListingNote) is not { Version: Version } note) return null;
        if (note.StorageUri != identity.StorageUri || note.StoragePath != identity.StoragePath) return null;
        var files = new List<ArtifactFile>();
        foreach (var file in note.Files)
        {
            if (!ArtifactPath.TryParse(file.Path, out var path, out _) || ParseDigests(file.Digests) is not { } digests || ParseDigests(file.Alternatives ?? []) is not { } alternatives) return null;
            files.Add(new ArtifactFile(path, file.Size, digests, file.SourceName, file.Version) { Alternatives = alternatives });
        }

        return ArtifactListing.TryCreate(note.Revision, files, out var listing, out _) ? listing : null;
    }

    /// <summary>Begins the directory with a listing.</summary>
    public void SaveListing(SourceIdentity identity, ArtifactListing listing)
    {
        Directory.CreateDirectory(directory);
        var files = listing.Files.Select(file =>
            new FileNote(file.Path.Value, file.Size, Texts(file.Digests), file.SourceName, file.Version, file.Alternatives.IsEmpty ? null : Texts(file.Alternatives)));
        Write(ListingPath, new ListingNote(Version, identity.StorageUri, identity.StoragePath, listing.Revision, [.. files]), StagingJson.Default.ListingNote);
    }

    /// <summary>The note that the n-th file is proven.</summary>
    public ProvenFile? LoadProven(int index, ArtifactFile file)
    {
        if (Read(ProvenPath(index), StagingJson.Default.ProvenNote) is not { } note || note.Path != file.Path.Value) return null;
        if (!ContentDigest.TryParse(note.Sha256, out var sha256) || note.Chunks.Length != ArtifactManifest.ChunkCount(file.Size)) return null;
        var chunks = ImmutableArray.CreateBuilder<UInt128>(note.Chunks.Length);
        foreach (var text in note.Chunks)
        {
            if (!UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var chunk)) return null;
            chunks.Add(chunk);
        }

        if (note.Proof is not null && (!ContentDigest.TryParse(note.Proof, out var proof) || !file.Alternatives.Contains(proof.Value))) return null;
        var proven = file.With(note.Proof is null ? null : file.Alternatives.First(digest => digest.ToString() == note.Proof));
        return new ProvenFile(proven, sha256.Value, chunks.MoveToImmutable(), note.Inode, note.Device, note.MtimeNs);
    }

    /// <summary>Notes that the n-th file is proven and flushed; <paramref name="proof"/> is the alternative that proved it, if one did.</summary>
    public void SaveProven(int index, ProvenFile file, ContentDigest? proof = null) => Write(
        ProvenPath(index),
        new ProvenNote(
            file.File.Path.Value, file.Sha256.ToString(), [.. file.Chunks.Select(chunk => chunk.ToString("x32", CultureInfo.InvariantCulture))], file.Inode, file.Device, file.MtimeNs, proof?.ToString()),
        StagingJson.Default.ProvenNote);

    private string ProvenPath(int index) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{index:D6}.proven"));

    private static string[] Texts(ImmutableArray<ContentDigest> digests) => [.. digests.Select(digest => digest.ToString())];

    private static ImmutableArray<ContentDigest>? ParseDigests(string[] texts)
    {
        var digests = ImmutableArray.CreateBuilder<ContentDigest>(texts.Length);
        foreach (var text in texts)
        {
            if (!ContentDigest.TryParse(text, out var digest)) return null;
            digests.Add(digest.Value);
        }

        return digests.MoveToImmutable();
    }

    private static T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        if (!File.Exists(path)) return null;
        using var file = File.OpenRead(path);
        if (file.Length > MostBytes) return null;
        try
        {
            return JsonSerializer.Deserialize(file, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Write<T>(string path, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            JsonSerializer.Serialize(file, value, type);
            file.Flush();
            disk.Flush(file.SafeFileHandle);
        }

        disk.Rename(temporary, path);
    }
}

/// <summary>A file whose bytes were proven, and the inode that holds them: a rename keeps all three facts of it.</summary>
internal sealed record ProvenFile(ArtifactFile File, ContentDigest Sha256, ImmutableArray<UInt128> Chunks, ulong Inode, ulong Device, long MtimeNs)
{
    public bool IsAt(FileStamp stamp) => stamp.Inode == Inode && stamp.Device == Device && stamp.MtimeNs == MtimeNs && stamp.Size == File.Size;
}

internal sealed record ListingNote(int Version, string StorageUri, string StoragePath, string? Revision, FileNote[] Files);

internal sealed record FileNote(string Path, long Size, string[] Digests, string? SourceName, string? Version, string[]? Alternatives = null);

internal sealed record ProvenNote(string Path, string Sha256, string[] Chunks, ulong Inode, ulong Device, long MtimeNs, string? Proof = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ListingNote))]
[JsonSerializable(typeof(ProvenNote))]
internal sealed partial class StagingJson : JsonSerializerContext;
