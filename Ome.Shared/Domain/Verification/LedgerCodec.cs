using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Verification;

/// <summary>
/// The ledger's text: a sealed file of JSON lines like the manifest's, bound to one manifest by its digest. A file whose pieces were all
/// proven at once has one time. Times are Unix seconds.
/// </summary>
public static class LedgerCodec
{
    public const string Format = "ome-ledger";
    public const int CurrentVersion = 1;

    public static byte[] Write(VerificationLedger ledger)
    {
        using var lines = new JsonLines();
        lines.Add(json =>
        {
            json.WriteString("manifest", ledger.ManifestDigest);
            WriteTime(json, "lastCheckAt", ledger.LastCheckAt);
            WriteTime(json, "lastFullPassAt", ledger.LastFullPassAt);
            WriteTime(json, "fullPassSince", ledger.FullPassSince);
            json.WriteNumber("files", ledger.Manifest.Entries.Length);
        });
        for (var i = 0; i < ledger.Manifest.Entries.Length; i++)
        {
            var index = i;
            lines.Add(json => WriteEntry(json, ledger, index));
        }

        return SealedText.Seal(Format, CurrentVersion, lines.Written);
    }

    /// <summary>Reads the ledger of <paramref name="manifest"/>; one of another manifest is refused.</summary>
    /// <exception cref="IOException">The file could not be read.</exception>
    public static bool TryRead(
        Stream file, ManifestDocument manifest, [NotNullWhen(true)] out VerificationLedger? ledger, [NotNullWhen(false)] out SealProblem? problem) =>
        SealedText.TryRead(file, Format, CurrentVersion, lines => ReadBody(lines, manifest), out ledger, out problem);

    private static void WriteEntry(Utf8JsonWriter json, VerificationLedger ledger, int index)
    {
        var entry = ledger.Manifest.Entries[index];
        json.WriteString("path", entry.Path.Value);
        var proofs = Enumerable.Range(0, VerificationLedger.Pieces(entry)).Select(chunk => ledger.Proof(index, chunk)).ToArray();
        var shown = proofs.AsSpan().ContainsAnyExcept(proofs[0]) ? proofs : proofs[..1];
        json.WriteStartArray("at");
        foreach (var proof in shown) json.WriteNumberValue(proof.At.ToUnixTimeSeconds());
        json.WriteEndArray();
        json.WriteString("via", string.Create(shown.Length, shown, static (text, from) =>
        {
            for (var i = 0; i < text.Length; i++) text[i] = Letter(from[i].Route);
        }));
        if (ledger.ProvenStamp(index) != entry.Stamp) StampText.Write(json, "stamp", ledger.ProvenStamp(index));
        if (ledger.IsExcused(index)) json.WriteNumber("excused", 1);
        if (!ledger.Suspects.TryGetValue(index, out var suspicion)) return;
        json.WriteString("suspect", suspicion.Reason.ToString());
        json.WriteNumber("since", suspicion.Since.ToUnixTimeSeconds());
        json.WriteNumber("looks", suspicion.Looks);
    }

    private static VerificationLedger? ReadBody(SealedLines lines, ManifestDocument manifest)
    {
        if (!lines.TryNext(out var line)) throw new FormatException("the first line is missing");
        var head = new JsonMembers(line);
        if (head.Text("manifest"u8) != manifest.Digest) return null;
        var ledger = VerificationLedger.Unproven(manifest);
        ledger.Restore(ReadTime(ref head, "lastCheckAt"u8), ReadTime(ref head, "lastFullPassAt"u8), ReadTime(ref head, "fullPassSince"u8));
        if (head.Number("files"u8) != manifest.Manifest.Entries.Length) throw new FormatException("the number of files is not the manifest's");
        head.End();
        var proofs = new List<ChunkProof>();
        for (var i = 0; i < manifest.Manifest.Entries.Length; i++)
        {
            if (!lines.TryNext(out line)) throw new FormatException("lines are missing");
            ReadEntry(line, ledger, i, proofs);
        }

        return lines.TryNext(out _) ? throw new FormatException("there are more lines than files") : ledger;
    }

    private static void ReadEntry(ReadOnlySpan<byte> line, VerificationLedger ledger, int index, List<ChunkProof> proofs)
    {
        var members = new JsonMembers(line);
        var entry = ledger.Manifest.Entries[index];
        if (members.Text("path"u8) != entry.Path.Value) throw new FormatException($"a line is not about '{entry.Path}'");
        proofs.Clear();
        if (!members.BeginNumbers("at"u8)) throw JsonMembers.Missing("at"u8);
        while (members.NextNumber()) proofs.Add(new ChunkProof(DateTimeOffset.FromUnixTimeSeconds(members.Item), ReadRoute.Buffered));
        var routes = members.Text("via"u8);
        if (proofs.Count == 0 || proofs.Count != routes.Length) throw new FormatException($"'{entry.Path}' has {proofs.Count} times and {routes.Length} routes");
        for (var i = 0; i < routes.Length; i++) proofs[i] = proofs[i] with { Route = Route(routes[i]) };
        var stamp = StampText.Read(ref members, "stamp"u8);
        if (members.OptionalNumber("excused"u8) is not null) ledger.Excuse(index);
        var suspicion = members.OptionalText("suspect"u8) is { } reason
            ? new Suspicion(Reason(reason), DateTimeOffset.FromUnixTimeSeconds(members.Number("since"u8)), checked((int)members.Number("looks"u8)))
            : null;
        members.End();
        ledger.Restore(index, stamp, CollectionsMarshal.AsSpan(proofs), suspicion);
    }

    private static char Letter(ReadRoute route) => route switch { ReadRoute.Direct => 'd', ReadRoute.Mixed => 'm', _ => 'b' };

    private static ReadRoute Route(char letter) => letter switch
    {
        'd' => ReadRoute.Direct,
        'm' => ReadRoute.Mixed,
        'b' => ReadRoute.Buffered,
        _ => throw new FormatException($"'{letter}' is not a route"),
    };

    private static FindingReason Reason(string text) =>
        Enum.TryParse<FindingReason>(text, out var reason) && reason.ToString() == text ? reason : throw new FormatException($"'{text}' is not a reason");

    private static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } value) json.WriteNumber(name, value.ToUnixTimeSeconds());
    }

    private static DateTimeOffset? ReadTime(ref JsonMembers members, ReadOnlySpan<byte> name) =>
        members.OptionalNumber(name) is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
