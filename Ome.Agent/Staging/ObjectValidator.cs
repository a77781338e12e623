using Ome.Shared.Domain.Objects;

namespace Ome.Agent.Staging;

/// <summary>
/// Is a local file the object? The rules are <see cref="ObjectValidityRules"/>; this reads the file, once, for all digests they need. The expectation comes from
/// the store at download time, or from what was kept, so that a later check needs no network.
/// </summary>
public static class ObjectValidator
{
    private const int BlockSize = 1 << 20;

    /// <summary>Validates one file.</summary>
    /// <param name="path">Local file; a link or directory is no file.</param>
    /// <param name="expectedSize">Size of the object in bytes; null when the store gave none.</param>
    /// <param name="expectation">What the store publishes.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="IOException">The file is there and cannot be read: no answer about its content.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static async Task<ObjectValidity> ValidateAsync(string path, long? expectedSize, ObjectExpectation expectation, CancellationToken cancellationToken)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.LinkTarget is not null) return ObjectValidityRules.Judge(expectation, expectedSize, null, []);
        var size = file.Length;
        var needed = ObjectValidityRules.Needed(expectation, expectedSize, size);
        if (needed.IsEmpty) return ObjectValidityRules.Judge(expectation, expectedSize, size, []);

        using var digester = new WholeDigester(size, needed);
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        var buffer = new byte[BlockSize];
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;) digester.Append(buffer.AsSpan(0, read));
        // A file that grew or shrank under the read is judged by what was read.
        return ObjectValidityRules.Judge(expectation, expectedSize, digester.Position, digester.ActualOf(needed));
    }
}
