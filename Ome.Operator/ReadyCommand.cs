using System.CommandLine;

namespace Ome.Operator;

/// <summary><c>ome-operator ready URL</c>: asks a running operator from outside, for <c>helm test</c>; an image without a shell has nothing else to ask with.</summary>
public static class ReadyCommand
{
    /// <summary>Exit code of an operator that is not ready or not there.</summary>
    public const int NotReady = 1;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public static Command Create(TextWriter output, TextWriter error)
    {
        var url = new Argument<string>("url") { Description = "address of /readyz, such as http://ome-operator.ome:8080/readyz" };
        var command = new Command("ready", "Asks a running operator whether it is ready: exit code 0 if it is, 1 if not.") { url };
        command.SetAction((parsed, cancellationToken) => AskAsync(parsed.GetRequiredValue(url), output, error, cancellationToken));
        return command;
    }

    private static async Task<int> AskAsync(string text, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            await error.WriteLineAsync($"ome-operator: '{text}' is no http address");
            return Program.Usage;
        }

        using var client = new HttpClient { Timeout = Timeout, MaxResponseContentBufferSize = 64 << 10 };
        try
        {
            using var answer = await client.GetAsync(url, cancellationToken);
            await (answer.IsSuccessStatusCode ? output : error).WriteLineAsync($"{url}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellationToken)}");
            return answer.IsSuccessStatusCode ? 0 : NotReady;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            await error.WriteLineAsync($"{url}: {e.Message}");
            return NotReady;
        }
    }
}
