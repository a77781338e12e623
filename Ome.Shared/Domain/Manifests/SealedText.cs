using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ome.Shared.Domain.Manifests;

/// <summary>Why a sealed file was not accepted.</summary>
public enum SealRefusal
{
    Empty,

    /// <summary>Something else, or its first line is damaged.</summary>
    NotThisFormat,

    /// <summary>Written by a program older than any this one understands.</summary>
    OlderVersion,

    /// <summary>Written by a newer program.</summary>
    NewerVersion,

    /// <summary>Fewer (or more) bytes than were sealed.</summary>
    Truncated,

    /// <summary>The bytes are not those that were sealed.</summary>
    Damaged,

    /// <summary>The seal holds, the content breaks a rule: a bug or a forgery.</summary>
    Malformed,

    /// <summary>Sound, but about something else than was asked for.</summary>
    OtherSubject,
}

/// <summary>Why it was not accepted, and the values, for a human.</summary>
public sealed record SealProblem(SealRefusal Refusal, string Message)
{
    public override string ToString() => $"{Refusal}: {Message}";
}

/// <summary>
/// The envelope of the files we trust across restarts: one line that names format, version, length and SHA-256 of what follows.
/// A file that was cut, flipped in any bit, or written by another program is refused with the reason, never half read.
/// </summary>
public static class SealedText
{
    private const int MaxHeadBytes = 256;

    /// <summary>The first line and the body, ready to be written.</summary>
    public static byte[] Seal(string format, int version, ReadOnlySpan<byte> body)
    {
        var head = Head(format, version, body.Length, SHA256.HashData(body));
        var bytes = new byte[head.Length + body.Length];
        head.CopyTo(bytes, 0);
        body.CopyTo(bytes.AsSpan(head.Length));
        return bytes;
    }

    /// <summary>
    /// Reads a sound file line by line, so that it never lies in memory whole. What <paramref name="read"/> gave counts only when all the bytes
    /// are those that were sealed; where they are not, it does not matter what it made of them.
    /// </summary>
    /// <param name="file">At its beginning; its length must be known.</param>
    /// <param name="format">As it was sealed.</param>
    /// <param name="version">The one this program reads.</param>
    /// <param name="read">Makes the content of the lines; throws where they break a rule, null when they are about something else than was asked for.</param>
    /// <param name="content">What it made.</param>
    /// <param name="problem">Why there is nothing.</param>
    /// <exception cref="IOException">The file could not be read.</exception>
    public static bool TryRead<T>(
        Stream file, string format, int version, Func<SealedLines, T?> read, [NotNullWhen(true)] out T? content, [NotNullWhen(false)] out SealProblem? problem)
        where T : class
    {
        content = null;
        problem = file.Length == 0 ? new(SealRefusal.Empty, "the file is empty") : null;
        if (problem is not null) return false;
        Span<byte> start = stackalloc byte[MaxHeadBytes];
        start = start[..file.ReadAtLeast(start, MaxHeadBytes, throwOnEndOfStream: false)];
        var headLength = start.IndexOf((byte)'\n') + 1;
        var head = headLength == 0 ? null : ReadHead(start[..headLength].ToArray());
        if (head is null || head.Format != format) problem = new(SealRefusal.NotThisFormat, $"the first line is not that of '{format}'");
        else if (head.Version > version) problem = new(SealRefusal.NewerVersion, $"version {head.Version}; this program writes {version}");
        else if (head.Version < version) problem = new(SealRefusal.OlderVersion, $"version {head.Version}; this program reads {version}");
        else if (!Head(format, version, head.Bytes, head.Sha256).AsSpan().SequenceEqual(start[..headLength])) problem = new(SealRefusal.NotThisFormat, "the first line is damaged");
        else if (file.Length - headLength != head.Bytes) problem = new(SealRefusal.Truncated, $"{file.Length - headLength} bytes follow the first line, {head.Bytes} were written");
        if (problem is not null) return false;
        file.Position = headLength;
        using var lines = new SealedLines(file, head!.Bytes, Convert.ToHexStringLower(head.Sha256));
        try
        {
            content = read(lines);
            if (content is null) problem = new(SealRefusal.OtherSubject, "it is about something else than was asked for");
        }
        catch (Exception error) when (error is JsonException or FormatException or ArgumentException or ArithmeticException or InvalidOperationException)
        {
            problem = new(SealRefusal.Malformed, error.Message);
        }

        if (!lines.AreThoseSealed()) (content, problem) = (null, new(SealRefusal.Damaged, "the bytes are not those that were written"));
        return content is not null;
    }

    private static byte[] Head(string format, int version, long bytes, ReadOnlySpan<byte> sha256) =>
        Encoding.UTF8.GetBytes($$"""{"format":"{{format}}","version":{{version}},"bytes":{{bytes}},"sha256":"{{Convert.ToHexStringLower(sha256)}}"}""" + "\n");

    private static HeadLine? ReadHead(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return new HeadLine(
                root.GetProperty("format").GetString()!,
                root.GetProperty("version").GetInt32(),
                root.GetProperty("bytes").GetInt64(),
                Convert.FromHexString(root.GetProperty("sha256").GetString()!));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentNullException)
        {
            return null;
        }
    }

    private sealed record HeadLine(string Format, int Version, long Bytes, byte[] Sha256);
}
