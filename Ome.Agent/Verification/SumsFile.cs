using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Verification;

/// <summary>
/// Reads what <c>sha256sum</c> and <c>md5sum</c> write: <c>HEX  PATH</c>, <c>HEX *PATH</c>, escaped names after a backslash, and the BSD form
/// <c>SHA256 (PATH) = HEX</c>. Every line counts: one that cannot be read makes the file unusable, with its number.
/// </summary>
public static class SumsFile
{
    public const int MaxBytes = 64 << 20;

    /// <summary>Names under which such a file usually lies beside what it is about.</summary>
    public static readonly ImmutableArray<string> UsualNames = ["SHA256SUMS", "SHA256SUMS.txt", "sha256sums.txt", "sha256sum.txt", "checksums.sha256", "MD5SUMS", "md5sums.txt"];

    /// <summary>Reads the file at <paramref name="path"/>, which may be a pipe; else the problem, with the path.</summary>
    /// <param name="path">Of the sums.</param>
    /// <param name="directory">Absolute directory that the sums are about: absolute paths below it count.</param>
    public static (GroundTruth? Truth, string? Problem) Load(string path, string directory)
    {
        try
        {
            if (Directory.Exists(path)) return (null, $"'{path}' is a directory: give the file of digests");
            if (!File.Exists(path)) return (null, $"'{path}' does not exist");
            if (Read(path) is not { } content) return (null, $"'{path}' is larger than {MaxBytes} bytes");
            return TryRead(content, path, directory, out var truth, out var problem) ? (truth, null) : (null, problem);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (null, $"'{path}' could not be read: {error.Message}");
        }
    }

    public static bool TryRead(ReadOnlySpan<byte> content, string name, string directory, [NotNullWhen(true)] out GroundTruth? truth, [NotNullWhen(false)] out string? problem)
    {
        (truth, problem) = (null, null);
        var digests = ImmutableSortedDictionary.CreateBuilder<ArtifactPath, ContentDigest>();
        var number = 0;
        foreach (var line in Encoding.UTF8.GetString(content).TrimStart('\uFEFF').Split('\n'))
        {
            number++;
            var text = line.TrimEnd('\r');
            if (text.Length == 0 || text[0] == '#') continue;
            problem = ReadLine(text, directory, digests) is { } wrong ? $"{name}, line {number}: {wrong}" : null;
            if (problem is not null) return false;
        }

        if (digests.Count == 0) problem = $"{name} lists no files";
        else truth = new GroundTruth(name, digests.ToImmutable());
        return truth is not null;
    }

    private static byte[]? Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var content = new MemoryStream();
        var piece = new byte[64 << 10];
        for (int got; (got = stream.Read(piece)) > 0;)
        {
            if (content.Length + got > MaxBytes) return null;
            content.Write(piece, 0, got);
        }

        return content.ToArray();
    }

    private static string? ReadLine(string line, string directory, ImmutableSortedDictionary<ArtifactPath, ContentDigest>.Builder digests)
    {
        if (Split(line) is not var (hex, path)) return "it is not 'HEX  PATH'";
        var algorithm = hex.Length switch { 64 => "sha256:", 32 => "md5:", _ => null };
        if (algorithm is null || !ContentDigest.TryParse(algorithm + hex.ToLowerInvariant(), out var digest))
            return $"'{hex}' is neither SHA-256 (64 hex digits) nor MD5 (32)";
        if (path.StartsWith("./", StringComparison.Ordinal)) path = path[2..];
        else if (path.StartsWith(directory + "/", StringComparison.Ordinal)) path = path[(directory.Length + 1)..];
        if (!ArtifactPath.TryParse(path, out var parsed, out var refusal)) return $"the path '{path}' is refused: {refusal}";
        if (digests.TryGetValue(parsed, out var other) && other != digest) return $"'{path}' is listed twice with different digests";
        digests[parsed] = digest.Value;
        return null;
    }

    private static (string Hex, string Path)? Split(string line)
    {
        if (line.IndexOf(" (", StringComparison.Ordinal) is > 0 and < 8 and var open && line.LastIndexOf(") = ", StringComparison.Ordinal) is > 0 and var close)
            return (line[(close + 4)..], line[(open + 2)..close]);
        var escaped = line[0] == '\\';
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || space + 2 >= line.Length || line[space + 1] is not (' ' or '*')) return null;
        var path = line[(space + 2)..];
        return (line[(escaped ? 1 : 0)..space], escaped ? path.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal) : path);
    }
}
