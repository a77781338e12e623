using System.Globalization;
using CsCheck;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Domain.Laws;

/// <summary>Random values of the wire: names, texts, entries, and entries damaged in transit.</summary>
internal static class WireGen
{
    private const string NameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-.";

    /// <summary>One of the given values.</summary>
    public static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>Names as Kubernetes has them, short and long.</summary>
    public static readonly Gen<string> Name = Gen.OneOf(Gen.Int[1, 20], Gen.Int[25, 60], Gen.Int[220, 253])
        .SelectMany(length => Gen.Char[NameCharacters].Array[length]).Select(static characters => new string(characters));

    /// <summary>Any text, also none, with control characters and lone surrogates.</summary>
    public static readonly Gen<string> Any = Gen.OneOf(
        Gen.String, Gen.Char.Array[0, 40].Select(static characters => new string(characters)), Gen.Char["/.:@ abn\0~"].Array[0, 30].Select(static characters => new string(characters)));

    /// <summary>Storage URIs that are nearly right.</summary>
    public static readonly Gen<string> Uri = Gen.Select(
        OneOf("oci://", "hf://", "pvc://", "vendor://", "s3://", "az://", "gs://", "github://", "local://", "", "x://", "oci://n/"), Any, static (scheme, rest) => scheme + rest);

    private static readonly Gen<string> Printable = Gen.Char[" !\"#<>&'+/\\éß漢0aZ"].Array[1, 12].Select(static characters => new string(characters));
    private static readonly Gen<DateTimeOffset> Time = Gen.Long[0, 4_000_000_000].Select(DateTimeOffset.FromUnixTimeSeconds);

    private static readonly Gen<ReportedValidation?> Validation = Gen.Select(
        OneOf("Valid", "Invalid", "Inconclusive", "Pending", "Later"), Printable, Time, Gen.Long[0, long.MaxValue], Gen.Bool,
        static (result, message, time, count, present) => present
            ? new ReportedValidation { Mode = "Deep", Result = result, Reason = "FileMissing", Message = message, LastCheckedTime = time, OldestProofTime = time, BytesChecked = count }
            : null);

    private static readonly Gen<ReportedConfig?> Config = Gen.Select(Printable, Gen.Int[0, 9], Gen.Bool, Gen.Bool, static (text, tokens, shared, present) => present
        ? new ReportedConfig
        {
            ModelType = text,
            MaxTokens = tokens,
            ModelCapabilities = tokens % 2 == 0 ? ["TEXT_TO_TEXT"] : null,
            Artifact = new ReportedArtifact { Sha = text, ParentPath = shared ? new Dictionary<string, string> { [text] = text } : null, ChildrenPaths = shared ? [text] : null },
        }
        : null);

    private static readonly Gen<DownloadProgress?> Progress = Gen.Select(Gen.ULong, Gen.UInt, Gen.Double, Time, Gen.Bool, static (bytes, files, speed, time, present) => present
        ? new DownloadProgress { Phase = "downloading", TotalBytes = bytes, TotalFiles = files, SpeedBytesPerSec = speed, LastUpdated = time }
        : null);

    /// <summary>Entries of any shape.</summary>
    public static readonly Gen<NodeModelEntry> Entry = Gen.Select(
        OneOf("Ready", "Failed", "Updating", "Deleted", "", "Newer"), OneOf<string?>(null, "hf://org/m", "hf://org/other"), Config, Progress, Validation, Gen.Bool,
        static (status, uri, config, progress, validation, named) => new NodeModelEntry
        {
            Name = named ? "m" : string.Empty,
            Status = status,
            StorageUri = uri,
            Config = config,
            Progress = progress,
            Validation = validation,
        });

    /// <summary>Text of an entry, sometimes cut, changed or not JSON at all.</summary>
    public static readonly Gen<string> EntryText = Gen.Select(Entry, Gen.Int[0, 9], Gen.Int[0, 5000], Gen.Char, static (entry, damage, at, with) =>
    {
        var text = NodeReportCodec.Encode(entry);
        var index = at % text.Length;
        return damage switch
        {
            0 => text[..index],
            1 => string.Concat(text.AsSpan(0, index), with.ToString(CultureInfo.InvariantCulture), text.AsSpan(index + 1)),
            2 => text.Insert(index, text),
            _ => text,
        };
    });
}
