using System.Text.Json;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Handles one token; a problem stops the reading.</summary>
internal delegate StructureProblem? JsonTokenHandler(ref Utf8JsonReader reader);

/// <summary>
/// Pushes the tokens of a JSON text at a handler while holding only a window of it in memory: the text may be as long as its
/// format allows, and hostile.
/// </summary>
internal static class JsonTokens
{
    /// <summary>Longest single token (a name, a string) that is read; the window never grows beyond it.</summary>
    public const int MaxTokenBytes = 8 * 1024 * 1024;

    private const int WindowBytes = 64 * 1024;

    /// <summary>Null when the text is one well-formed JSON value and the handler found nothing.</summary>
    public static StructureProblem? Read(IByteSource source, long offset, long length, JsonTokenHandler handler)
    {
        var window = new byte[(int)Math.Min(WindowBytes, Math.Max(length, 1))];
        var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = 64 });
        var (held, position, end) = (0, offset, offset + length);
        while (true)
        {
            while (held < window.Length && position < end)
            {
                var got = source.ReadAt(position, window.AsSpan(held, (int)Math.Min(window.Length - held, end - position)));
                if (got == 0) return StructureProblem.Broken($"the file ends inside its JSON, {end - position} bytes early", position);
                held += got;
                position += got;
            }

            var start = position - held;
            var reader = new Utf8JsonReader(window.AsSpan(0, held), position == end, state);
            try
            {
                while (reader.Read())
                {
                    if (handler(ref reader) is { } problem) return problem;
                }
            }
            catch (JsonException error)
            {
                return StructureProblem.Broken($"not valid JSON: {FirstSentence(error.Message)}", start + reader.BytesConsumed);
            }
            catch (InvalidOperationException)
            {
                // The reader found bytes in a string that are not UTF-8, or half of a surrogate pair.
                return StructureProblem.Broken("not valid JSON: a string is not UTF-8", start + reader.BytesConsumed);
            }

            if (position == end) return null;
            state = reader.CurrentState;
            var used = (int)reader.BytesConsumed;
            window.AsSpan(used, held - used).CopyTo(window);
            held -= used;
            if (held < window.Length) continue;
            if (window.Length >= MaxTokenBytes) return StructureProblem.NotExamined($"a JSON string is longer than {MaxTokenBytes} bytes");
            Array.Resize(ref window, Math.Min(window.Length * 4, MaxTokenBytes));
        }
    }

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
