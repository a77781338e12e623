using System.Diagnostics.CodeAnalysis;
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
        var lines = new JsonLines();
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
    public static bool TryRead(
        ReadOnlyMemory<byte> file, ManifestDocument manifest, [NotNullWhen(true)] out VerificationLedger? ledger, [NotNullWhen(false)] out SealProblem? problem)
    {
        ledger = null;
        if (!SealedText.TryOpen(file, Format, CurrentVersion, out var body, out _, out problem)) return false;
        try
        {
            ledger = ReadBody(body, manifest);
            if (ledger is null) problem = new SealProblem(SealRefusal.OtherSubject, "it is about another manifest");
        }
        catch (Exception error) when (error is JsonException or FormatException or ArgumentException or OverflowException)
        {
            problem = new SealProblem(SealRefusal.Malformed, error.Message);
        }

        return ledger is not null;
    }

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

    private static VerificationLedger? ReadBody(ReadOnlyMemory<byte> body, ManifestDocument manifest)
    {
        using var lines = JsonLines.Split(body).GetEnumerator();
        if (!lines.MoveNext()) throw new FormatException("the first line is missing");
        var head = new JsonMembers(lines.Current);
        if (head.Text("manifest") != manifest.Digest) return null;
        var ledger = VerificationLedger.Unproven(manifest);
        ledger.Restore(ReadTime(head, "lastCheckAt"), ReadTime(head, "lastFullPassAt"), ReadTime(head, "fullPassSince"));
        if (head.Number("files") != manifest.Manifest.Entries.Length) throw new FormatException("the number of files is not the manifest's");
        head.End();
        for (var i = 0; i < manifest.Manifest.Entries.Length; i++)
        {
            if (!lines.MoveNext()) throw new FormatException("lines are missing");
            ReadEntry(lines.Current, ledger, i);
        }

        return lines.MoveNext() ? throw new FormatException("there are more lines than files") : ledger;
    }

    private static void ReadEntry(ReadOnlyMemory<byte> line, VerificationLedger ledger, int index)
    {
        var members = new JsonMembers(line);
        var entry = ledger.Manifest.Entries[index];
        if (members.Text("path") != entry.Path.Value) throw new FormatException($"a line is not about '{entry.Path}'");
        var times = members.Array("at").Select(value => DateTimeOffset.FromUnixTimeSeconds(value.GetInt64())).ToArray();
        var routes = members.Text("via");
        if (times.Length == 0 || times.Length != routes.Length) throw new FormatException($"'{entry.Path}' has {times.Length} times and {routes.Length} routes");
        var proofs = times.Select((time, i) => new ChunkProof(time, Route(routes[i]))).ToArray();
        if (proofs.Length == 1) proofs = [.. Enumerable.Repeat(proofs[0], VerificationLedger.Pieces(entry))];
        FileStamp? stamp = members.OptionalArray("stamp") is { Length: > 0 } values ? StampText.Read(values) : null;
        if (members.OptionalNumber("excused") is not null) ledger.Excuse(index);
        var suspicion = members.OptionalText("suspect") is { } reason
            ? new Suspicion(Reason(reason), DateTimeOffset.FromUnixTimeSeconds(members.Number("since")), checked((int)members.Number("looks")))
            : null;
        members.End();
        ledger.Restore(index, stamp, proofs, suspicion);
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

    private static DateTimeOffset? ReadTime(JsonMembers members, string name) =>
        members.OptionalNumber(name) is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
